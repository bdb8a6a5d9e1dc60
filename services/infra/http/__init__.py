"""What services that answer HTTP share: observation of requests, and the page of the calls."""
