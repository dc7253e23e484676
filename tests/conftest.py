"""What holds for all tests: flow files among them are material, not tests."""

collect_ignore_glob = ["*.yaml", "*.yml"]
