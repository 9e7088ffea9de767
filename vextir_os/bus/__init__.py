"""Events inside one process: who listens hears what the OS publishes and emits."""
