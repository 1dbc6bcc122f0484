package main

import (
	"context"
	"fmt"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// diskName is the only file of the file system that shows a disk.
const diskName = "disk"

// show mounts a file system whose only file is the disk.
func show(d *image, dir string, size int64) (*fuse.Server, error) {
	root := &folder{file: &file{disk: d, size: size}}
	server, err := fs.Mount(dir, root, &fs.Options{MountOptions: fuse.MountOptions{
		DirectMountStrict: true, FsName: "vwmp-disk", DisableXAttrs: true, MaxWrite: 1 << 20,
	}})
	if err != nil {
		return nil, fmt.Errorf("mount a file system of one's own: %w", err)
	}
	return server, nil
}

type folder struct {
	fs.Inode

	file *file
}

// OnAdd implements fs.NodeOnAdder.
func (f *folder) OnAdd(ctx context.Context) {
	f.AddChild(diskName, f.NewPersistentInode(ctx, f.file, fs.StableAttr{Mode: fuse.S_IFREG}), true)
}

// file is the disk as a file.
type file struct {
	fs.Inode

	disk *image
	size int64
}

var _ = interface {
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeOpener
	fs.NodeReader
	fs.NodeWriter
	fs.NodeFsyncer
}((*file)(nil))

// Getattr implements fs.NodeGetattrer.
func (f *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size = 0o600, uint64(f.size)
	return 0
}

// Setattr implements fs.NodeSetattrer; a disk has nothing to set.
func (f *file) Setattr(ctx context.Context, handle fs.FileHandle, _ *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return f.Getattr(ctx, handle, out)
}

// Open implements fs.NodeOpener. Nothing may be kept in memory on the way to
// the disk, or it would survive a cut.
func (f *file) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

// Read implements fs.NodeReader.
func (f *file) Read(_ context.Context, _ fs.FileHandle, into []byte, offset int64) (fuse.ReadResult, syscall.Errno) {
	n, err := f.disk.read(into, offset)
	return fuse.ReadResultData(into[:n]), fs.ToErrno(err)
}

// Write implements fs.NodeWriter.
func (f *file) Write(_ context.Context, _ fs.FileHandle, data []byte, offset int64) (uint32, syscall.Errno) {
	if err := f.disk.write(data, offset); err != nil {
		return 0, fs.ToErrno(err)
	}
	return uint32(len(data)), 0 //nolint:gosec // At most MaxWrite.
}

// Fsync implements fs.NodeFsyncer.
func (f *file) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return fs.ToErrno(f.disk.flush())
}
