package main

func runTPCH(args []string) error { return errUsage }
