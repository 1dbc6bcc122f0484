package wire

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/vwmp/vwmp/pluginsdk"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// fill gives every field of a value something that is not its zero value, so
// that a field which a conversion forgets shows.
func fill(t *testing.T, v reflect.Value, seed *int) {
	t.Helper()
	*seed++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(int64(1_700_000_000+*seed), 123456789).UTC()))
		return
	case time.Duration:
		v.SetInt(int64(time.Duration(*seed) * time.Millisecond))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{"b":1.50,"a":` + strings.Repeat("1", 30) + `}`))
		return
	case pluginsdk.EffectClass:
		v.SetString(string(pluginsdk.EffectKeyed))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text " + string(rune('a'+*seed%26)))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*seed))
	case reflect.Uint64:
		v.SetUint(uint64(*seed))
	case reflect.Float64:
		v.SetFloat(float64(*seed) / 4)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), seed)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), seed)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0), seed)
		fill(t, v.Index(1), seed)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, seed)
		fill(t, value, seed)
		v.SetMapIndex(key, value)
	default:
		t.Fatalf("no value for a %s", v.Type())
	}
}

func filled[T any](t *testing.T) T {
	t.Helper()
	var value T
	seed := 0
	fill(t, reflect.ValueOf(&value).Elem(), &seed)
	return value
}

func travel[M proto.Message](t *testing.T, message, into M) M {
	t.Helper()
	raw, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
	return into
}

func TestEveryFieldOfARequestArrives(t *testing.T) {
	sent := filled[pluginsdk.Request](t)
	got := RequestFromWire(travel(t, RequestToWire(&sent), &pb.Request{}))
	if !reflect.DeepEqual(sent, got) {
		t.Errorf("sent %+v\n got %+v", sent, got)
	}
}

func TestARequestOutsideForEachHasNoItem(t *testing.T) {
	sent := pluginsdk.Request{ItemIndex: -1}
	if got := RequestFromWire(travel(t, RequestToWire(&sent), &pb.Request{})); got.ItemIndex != -1 {
		t.Errorf("the item index is %d", got.ItemIndex)
	}
	sent.ItemIndex = 0
	if got := RequestFromWire(travel(t, RequestToWire(&sent), &pb.Request{})); got.ItemIndex != 0 {
		t.Errorf("the item index is %d", got.ItemIndex)
	}
}

func TestEveryFieldOfADescriptionArrives(t *testing.T) {
	sent := filled[pluginsdk.Description](t)
	got := DescriptionFromWire(travel(t, DescriptionToWire(&sent), &pb.DescribeResponse{}))
	if !reflect.DeepEqual(&sent, got) {
		t.Errorf("sent %+v\n got %+v", sent, got)
	}
}

func TestEveryFieldOfWhatAStepSaysArrives(t *testing.T) {
	line := filled[pluginsdk.LogLine](t)
	line.Level = pluginsdk.LevelWarning
	if got := LogFromWire(travel(t, LogToWire(line), &pb.Log{})); !reflect.DeepEqual(line, got) {
		t.Errorf("sent %+v\n got %+v", line, got)
	}
	effect := filled[pluginsdk.EffectRecord](t)
	if got := EffectFromWire(travel(t, EffectToWire(effect), &pb.Effect{})); got != effect {
		t.Errorf("sent %+v\n got %+v", effect, got)
	}
	artifact := filled[pluginsdk.Artifact](t)
	if got := ArtifactFromWire(travel(t, ArtifactToWire(artifact), &pb.Artifact{})); got != artifact {
		t.Errorf("sent %+v\n got %+v", artifact, got)
	}
	planned := []pluginsdk.PlannedEffect{filled[pluginsdk.PlannedEffect](t)}
	if got := PlanFromWire(PlanToWire(planned)); !reflect.DeepEqual(planned, got) {
		t.Errorf("sent %+v\n got %+v", planned, got)
	}
	problem := filled[pluginsdk.Problem](t)
	problem.Severity, problem.Line, problem.Column = pluginsdk.SeverityWarning, 0, 0
	if got := ProblemsFromWire(ProblemsToWire([]pluginsdk.Problem{problem})); got[0] != problem {
		t.Errorf("sent %+v\n got %+v", problem, got[0])
	}
}

func TestEveryFailureClassAndVerdictArrives(t *testing.T) {
	for class := range classToWire {
		sent := filled[pluginsdk.Failure](t)
		sent.Class = class
		if got := FailureFromWire(travel(t, FailureToWire(&sent), &pb.Failure{})); !reflect.DeepEqual(&sent, got) {
			t.Errorf("sent %+v\n got %+v", sent, got)
		}
	}
	for verdict := range reconcileToWire {
		sent := filled[pluginsdk.ReconcileResult](t)
		sent.Status = verdict
		if verdict != pluginsdk.ReconcileDone {
			sent.Output, sent.UndoToken = nil, nil
		}
		if got := ReconcileFromWire(travel(t, ReconcileToWire(sent), &pb.ReconcileResponse{})); !reflect.DeepEqual(sent, got) {
			t.Errorf("sent %+v\n got %+v", sent, got)
		}
	}
}

func TestWhatIsUnknownCountsAsTheWorst(t *testing.T) {
	if got := FailureFromWire(&pb.Failure{Class: 99}); got.Class != pluginsdk.FailurePermanent || got.Message == "" {
		t.Errorf("an unknown class became %+v", got)
	}
	if got := ReconcileFromWire(&pb.ReconcileResponse{Status: 99}); got.Status != pluginsdk.ReconcileUnknown {
		t.Errorf("an unknown verdict became %s", got.Status)
	}
	if got := effectFromWire(99); got != pluginsdk.EffectUnsafe {
		t.Errorf("an unknown effect class became %s", got)
	}
	if got := LogFromWire(&pb.Log{Level: "shout", Fields: []byte("{")}); got.Level != pluginsdk.LevelInfo || got.Fields != nil {
		t.Errorf("an unknown level became %+v", got)
	}
}

func TestTextThatCannotTravelIsMadeFit(t *testing.T) {
	long := strings.Repeat("ä", maxText)
	for _, message := range []string{"caf\xe9 \xff", long, "x" + long} {
		got := travel(t, LogToWire(pluginsdk.LogLine{Message: message}), &pb.Log{}).GetMessage()
		if !utf8.ValidString(got) || len(got) > maxText+100 || got == "" {
			t.Errorf("a line of %d bytes became one of %d", len(message), len(got))
		}
	}
	bad := pluginsdk.Request{Secrets: map[string]string{"token": "\xff"}}
	if err := CheckRequest(&bad); err == nil || strings.Contains(err.Error(), "\xff") {
		t.Errorf("a secret that is not UTF-8 gives %v", err)
	}
	if err := CheckRequest(&pluginsdk.Request{StepName: "\xff"}); err == nil {
		t.Error("a name that is not UTF-8 is taken")
	}
}
