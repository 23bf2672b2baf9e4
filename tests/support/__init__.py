"""What tests share: servers, scripted answers, samples and strategies."""
