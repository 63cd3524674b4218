"""How records get from task to task: channels, record writers and input gates."""
