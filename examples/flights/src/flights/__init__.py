"""Flights that left New York in 2013: which will arrive late?"""
