"""Files that people begin with: projects and drivers, out of templates, and the wheel that a project brings along."""
