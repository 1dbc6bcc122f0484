package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/client"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

// asPlugin makes the test binary a plugin.
const asPlugin = "VWMP_TEST_PLUGIN"

func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) != "" {
		serve.Main(demo())
		return
	}
	os.Exit(m.Run())
}

func demo() *pluginsdk.Plugin {
	work := pluginsdk.Func[struct{}, struct{}](func(context.Context, *pluginsdk.Step, struct{}) (struct{}, error) {
		return struct{}{}, nil
	})
	return &pluginsdk.Plugin{
		Name: "demo", Version: "1.2.3", Description: "Shows.",
		Handlers: []*pluginsdk.Handler{pluginsdk.NewHandler(pluginsdk.HandlerInfo{Path: "demo.work", Name: "Work"}, work)},
	}
}

func command(t *testing.T, env []string, arguments ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, arguments...)
	cmd.Env = append(append(os.Environ(), asPlugin+"=1"), env...)
	return cmd
}

func TestStartedByHandAPluginSaysWhatItIs(t *testing.T) {
	var stderr bytes.Buffer
	cmd := command(t, nil)
	cmd.Stderr = &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ends with %v", err)
	}
	for _, due := range []string{"plugin demo 1.2.3", "--plugins DIR", "--describe"} {
		if !strings.Contains(stderr.String(), due) {
			t.Errorf("it does not say %q: %s", due, stderr.String())
		}
	}
}

func TestDescribePrintsTheDescriptionAsJSON(t *testing.T) {
	out, err := command(t, nil, "--describe").Output()
	if err != nil {
		t.Fatal(err)
	}
	var description pluginsdk.Description
	if err := json.Unmarshal(out, &description); err != nil {
		t.Fatal(err)
	}
	if description.Name != "demo" || len(description.Handlers) != 1 {
		t.Errorf("got %+v", description)
	}
}

func hosted(t *testing.T, lifeline string) *exec.Cmd {
	t.Helper()
	handshake := client.Handshake()
	return command(t, []string{
		handshake.MagicCookieKey + "=" + handshake.MagicCookieValue, "PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_MIN_PORT=0",
		"PLUGIN_UNIX_SOCKET_DIR=" + t.TempDir(), client.LifelineEnv + "=" + lifeline,
	})
}

func TestALifelineThatIsNoneIsRefused(t *testing.T) {
	for _, lifeline := range []string{"three", "77", "-1"} {
		out, err := hosted(t, lifeline).CombinedOutput()
		if err == nil || !strings.Contains(string(out), client.LifelineEnv) {
			t.Errorf("%s=%s gives %v: %s", client.LifelineEnv, lifeline, err, out)
		}
	}
}

func TestAPluginEndsWithItsHost(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no lifeline: the host's job object ends its plugins")
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := hosted(t, "3")
	cmd.ExtraFiles = []*os.File{theirs}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "1|1|") {
		t.Fatalf("the handshake is %q: %v", line, err)
	}
	begin := time.Now()
	if err := errors.Join(theirs.Close(), ours.Close()); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ends with %v", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s to end", took)
	}
}
