package pluginsdk

import "syscall"

// endWithParent has the kernel kill a command whose plugin was killed, which
// leaves nobody to end the command's own group.
func endWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
