"""What belongs to versions without being in them: data sets, links, deployments, owners."""
