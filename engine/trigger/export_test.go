package trigger

// MatchGlob reports whether a pattern of a file trigger matches a path.
func MatchGlob(glob, name string) bool {
	_, match := compileGlob(glob)
	return match.MatchString(name)
}
