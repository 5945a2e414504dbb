"""What every method costs: parameters, multiply-adds, time and memory against the size of picture and graph."""
