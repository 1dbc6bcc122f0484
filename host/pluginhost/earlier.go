package pluginhost

import (
	"context"
	"fmt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/pluginsdk"
)

// earlier is the version of this checksum where it is not the one in force:
// what an attempt left behind is understood by the binary that it ran with.
// It is engine.ErrNoBinary where there is no copy of it.
func (h *Host) earlier(ctx context.Context, handler, checksum string) (*version, error) {
	e, err := h.find(ctx, handler)
	if err != nil || checksum == "" || e.instance.version.checksum == checksum {
		return nil, err
	}
	if !h.readLock().Allows(checksum) {
		return nil, fmt.Errorf("%s: %w", handler, engine.ErrNoBinary)
	}
	for _, i := range e.plugin.left() {
		if i.version.checksum == checksum {
			return i.version, nil
		}
	}
	if v := h.fromCopy(ctx, checksum); v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("%s: %w", handler, engine.ErrNoBinary)
}

// reconcileWith asks an earlier version, in a process that is started for it.
func (h *Host) reconcileWith(ctx context.Context, v *version, request *pluginsdk.Request, err error) (result pluginsdk.ReconcileResult, _ error) {
	if err != nil {
		return result, err
	}
	if info, _ := v.description.Handler(request.Handler); !info.Capabilities.Reconcile {
		return result, pluginsdk.ErrUnsupported
	}
	p, err := h.launch(ctx, v, h.options.StartTimeout)
	if err != nil {
		return result, err
	}
	defer p.stop("it was only to say what became of an attempt")
	if err := p.configure(ctx, h); err != nil {
		return result, err
	}
	return p.client.Reconcile(ctx, request)
}

// fromCopy is a version of which only the copy is left, nil where there is
// none.
func (h *Host) fromCopy(ctx context.Context, checksum string) *version {
	if h.copies == nil || checksum == "" {
		return nil
	}
	kept, description := h.copies.Find(checksum), h.cachedDescription(ctx, checksum)
	if kept == nil || description == nil {
		return nil
	}
	v := &version{file: kept, program: kept, checksum: checksum}
	v.described(description)
	return v
}
