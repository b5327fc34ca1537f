"""What the command line can do: commands that train, and commands that read and keep runs."""
