package workflow

import ("testing";"fmt";"encoding/json";"os")

func TestSmoke(t *testing.T) {
	data, err := os.ReadFile("/tmp/smoke.yaml")
	if err != nil { t.Fatal(err) }
	doc, problems := Parse(data, ParseOptions{})
	for _, p := range problems { fmt.Printf("P %+v\n", p) }
	g, problems := Compile(doc, NewCatalogue(nil, nil))
	for _, p := range problems { fmt.Printf("C %+v\n", p) }
	if g == nil { return }
	fmt.Println(g.Levels())
	out, _ := doc.Definition.YAML()
	fmt.Println(string(out))
	js, err := json.Marshal(doc.Definition)
	fmt.Println(string(js), err)
	for i := range g.Len() {
		n := g.Node(i)
		if n.When == nil { continue }
		r, d, err := n.When.Eval(&ExpressionEnv{Config: doc.Definition.Config, Parameters: json.RawMessage(`{"publish":false,"n":3,"tags":["a","b"]}`), Steps: func(id string) (string, json.RawMessage) { return "success", json.RawMessage(`{"k":[1,2]}`) }})
		fmt.Println(r, d, err)
	}
}
