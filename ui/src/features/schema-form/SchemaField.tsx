import { memo, useMemo } from "react";
import { useForm } from "./context";
import { BooleanField, ChoicesField, ConstField, EnumField } from "./fields/choice";
import { type FieldProps, VariableField } from "./fields/frame";
import { ListField } from "./fields/list";
import { MapField, ObjectField } from "./fields/map";
import { AnyField, JsonField } from "./fields/raw";
import { DurationField, NumberField, TextField } from "./fields/text";
import { isVariable } from "./references";
import { kindOf } from "./schema";

/** One field, of the kind that its schema asks for. */
export const SchemaField = memo(function SchemaField(props: FieldProps) {
  const { schema, value } = props;
  const { variables } = useForm();
  const field = useMemo(() => kindOf(schema), [schema]);
  const isText = field.kind === "text" || field.kind === "number" || field.kind === "duration" || field.kind === "any";
  if (variables && !isText && isVariable(value)) return <VariableField {...props} />;
  switch (field.kind) {
    case "text":
      return <TextField {...props} multiline={field.multiline} code={field.code} secret={field.secret} />;
    case "number":
      return <NumberField {...props} whole={field.whole} />;
    case "duration":
      return <DurationField {...props} />;
    case "boolean":
      return <BooleanField {...props} />;
    case "enum":
      return <EnumField {...props} choices={field.choices} />;
    case "const":
      return <ConstField {...props} fixed={field.value} />;
    case "choices":
      return <ChoicesField {...props} choices={field.choices} />;
    case "list":
      return <ListField {...props} items={field.items} />;
    case "object":
      return <ObjectField {...props} />;
    case "map":
      return <MapField {...props} values={field.values} />;
    case "any":
      return <AnyField {...props} types={field.types} />;
    case "json":
      return <JsonField {...props} reason={field.reason} />;
  }
});
