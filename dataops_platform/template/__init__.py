"""What `dataops init` makes a project from, and what a newer template would change in one."""
