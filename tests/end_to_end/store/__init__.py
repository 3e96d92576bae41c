"""What is finished, broken or left by an older version is found, resumed or refused."""
