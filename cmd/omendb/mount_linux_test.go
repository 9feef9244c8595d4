package main

import (
	"fmt"
	"syscall"
)

// mountSmall mounts a file system in memory that holds so many MB. It needs privileges.
func mountSmall(dir string, mb int) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mb))
}

func unmountSmall(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }
