package wire_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// Whatever bytes a peer sends, what they are read as can be sent on, and
// arrives as the same.
func FuzzFromWire(f *testing.F) {
	for _, message := range []proto.Message{
		&pb.Request{StepId: "a", Attempt: 2}, &pb.DescribeResponse{Name: "x", Handlers: []*pb.Handler{{Path: "x.y"}}},
		&pb.ReconcileResponse{}, &pb.Failure{Message: "m"}, &pb.Log{Message: "a\nb"},
	} {
		raw, err := proto.Marshal(message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		check := func(first, second proto.Message) {
			if !proto.Equal(first, second) {
				t.Fatalf("%v became %v", first, second)
			}
		}
		if m := (&pb.Request{}); proto.Unmarshal(raw, m) == nil {
			read := wire.RequestFromWire(m)
			again := wire.RequestFromWire(wire.RequestToWire(&read))
			check(wire.RequestToWire(&read), wire.RequestToWire(&again))
		}
		if m := (&pb.DescribeResponse{}); proto.Unmarshal(raw, m) == nil {
			read := wire.DescriptionFromWire(m)
			check(wire.DescriptionToWire(read), wire.DescriptionToWire(wire.DescriptionFromWire(wire.DescriptionToWire(read))))
		}
		if m := (&pb.ReconcileResponse{}); proto.Unmarshal(raw, m) == nil {
			read := wire.ReconcileFromWire(m)
			check(wire.ReconcileToWire(read), wire.ReconcileToWire(wire.ReconcileFromWire(wire.ReconcileToWire(read))))
		}
		if m := (&pb.Failure{}); proto.Unmarshal(raw, m) == nil {
			read := wire.FailureFromWire(m)
			check(wire.FailureToWire(read), wire.FailureToWire(wire.FailureFromWire(wire.FailureToWire(read))))
		}
		if m := (&pb.Log{}); proto.Unmarshal(raw, m) == nil {
			read := wire.LogFromWire(m)
			check(wire.LogToWire(read), wire.LogToWire(wire.LogFromWire(wire.LogToWire(read))))
		}
	})
}
