import { type LayoutStep, layOut } from "./layout";

export interface LayoutRequest {
  number: number;
  steps: readonly LayoutStep[];
}

export interface LayoutAnswer {
  number: number;
  places?: Map<string, { x: number; y: number }>;
  error?: string;
}

self.addEventListener("message", ({ data }: MessageEvent<LayoutRequest>) => {
  let answer: LayoutAnswer;
  try {
    answer = { number: data.number, places: layOut(data.steps) };
  } catch (error) {
    answer = { number: data.number, error: String(error) };
  }
  self.postMessage(answer);
});
