import { useMemo } from "react";
import type { Definition } from "../../api/types";
import { readYaml, updateYaml, writeYaml } from "../source/sync";
import TextDiff from "./TextDiff";

interface DefinitionDiffProps {
  from: Definition;
  to: Definition;
  fromLabel: string;
  toLabel: string;
}

/** Two definitions as texts side by side. The second is made from the first, so that order alone is no difference. */
export default function DefinitionDiff({ from, to, fromLabel, toLabel }: DefinitionDiffProps) {
  const [before, after] = useMemo(() => {
    const text = writeYaml(from);
    return [text, updateYaml(readYaml(text), from, to).read.text];
  }, [from, to]);
  return <TextDiff from={before} to={after} fromLabel={fromLabel} toLabel={toLabel} />;
}
