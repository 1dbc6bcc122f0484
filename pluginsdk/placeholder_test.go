package pluginsdk_test

import (
	"encoding/json"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk"
)

func TestAPlaceholdersValueComesFromTheBestPlaceThatHasOne(t *testing.T) {
	const near, far = `{"version":"near"}`, `{"new_version":"far","version":"far too"}`
	newVersion, version := []string{"new_version", "version"}, []string{"version"}
	for name, test := range map[string]struct {
		values         map[string]string
		outputs        []string
		parameters     string
		outputKeys     []string
		parameterNames []string
		want           string
	}{
		"the step's own value goes first":         {map[string]string{"version": "own"}, []string{near}, `{"version":"given"}`, version, version, "own"},
		"an empty value of its own is none":       {map[string]string{"version": ""}, []string{near}, `{}`, version, version, "near"},
		"an output goes before a parameter":       {nil, []string{near}, `{"version":"given"}`, version, version, "near"},
		"the nearest output goes first":           {nil, []string{near, far}, `{}`, version, version, "near"},
		"a better key goes before a nearer step":  {nil, []string{near, far}, `{}`, newVersion, version, "far"},
		"a parameter where no output has it":      {nil, []string{`{"other":"x"}`}, `{"version":"given"}`, version, version, "given"},
		"the better parameter goes first":         {nil, nil, `{"version":"b","new_version":"a"}`, nil, newVersion, "a"},
		"outputs are left out without keys":       {nil, []string{near}, `{"version":"given"}`, nil, version, "given"},
		"parameters are left out without names":   {nil, nil, `{"version":"given"}`, version, nil, ""},
		"a number counts as it was written":       {nil, []string{`{"version":1.20}`}, `{}`, version, nil, "1.20"},
		"a parameter may be a number":             {nil, nil, `{"version":7}`, nil, version, "7"},
		"another type is passed over":             {nil, []string{`{"version":{"major":1}}`, `{"version":true}`, `{"version":["1"]}`, `{"version":null}`, near}, `{}`, version, nil, "near"},
		"an empty text is passed over":            {nil, []string{`{"version":""}`}, `{"version":"given"}`, version, version, "given"},
		"an output that is no object is passed":   {nil, []string{`"version"`, `["version"]`, ``, near}, `{}`, version, nil, "near"},
		"no parameters at all":                    {nil, nil, ``, version, version, ""},
		"nothing has it":                          {map[string]string{"summary": "x"}, []string{`{}`}, `{}`, newVersion, newVersion, ""},
		"the name alone says nothing of the keys": {nil, []string{near}, `{"version":"given"}`, []string{"x"}, []string{"y"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			request := pluginsdk.Request{Parameters: json.RawMessage(test.parameters)}
			for _, output := range test.outputs {
				request.Outputs = append(request.Outputs, pluginsdk.StepOutput{StepID: "before", Output: json.RawMessage(output)})
			}
			step := pluginsdk.NewStep(request, nil, nil)
			if got := step.Value("version", test.values, test.outputKeys, test.parameterNames); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
