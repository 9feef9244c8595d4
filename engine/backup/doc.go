// Package backup copies databases: a Repository is a directory that holds any
// number of backups and an archive of the log.
//
//	segments/NAME.seg    data files by content hash, shared by all backups
//	ID/BACKUP            what the backup consists of (JSON, with checksums)
//	ID/MANIFEST          the engine's manifest
//	ID/wal/N.wal         the log from the manifest to the end of the backup
//	wal/N.wal            the archived log
//
// A segment that the repository has already is not copied again, so every
// backup after the first is incremental, and every one is complete: any may be
// removed. BACKUP is written last; a backup without it is not one. The same
// files in the same order in a tar stream compressed by zstd are a backup in
// one file.
//
// Restore checks every byte against BACKUP and the segments' names, puts the
// manifest in place last, and can cut the log at a position, a time or a named
// restore point.
package backup
