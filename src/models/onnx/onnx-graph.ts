import { VoxError } from "../../core/errors.js";
import { ATTRIBUTE_TYPES, ONNX_TYPES, type OnnxAttribute, type OnnxNode, type OnnxTensor } from "./encode-onnx.js";

/** What a node may be set to; a number that must be written as a float is `{ float }`. */
export type OnnxAttributeValue = number | string | readonly number[] | { readonly float: number };

/** Bytes that one file of protocol buffers may have. */
const MOST_BYTES = 2 ** 31 - 1;

/** Nodes and constants of a network in ONNX, as they are added. Values are known by name. */
export class OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  private readonly names = new Set<string>();
  private bytes = 0;

  /** Adds an operation; the result is the name of its output. */
  add(opType: string, name: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttributeValue>> = {}): string {
    const node = this.unique(name);
    const output = this.unique(`${node}_out`);
    this.nodes.push({ input: inputs, output: [output], name: node, opType, attribute: Object.entries(attributes).map(attribute) });
    return output;
  }

  /** Gives a value the name that the file's users know; nothing may go on from it under its old name. */
  rename(value: string, name: string): void {
    const at = this.nodes.findIndex(({ output }) => output.includes(value));
    if (at >= 0 && !this.nodes.some(({ input }) => input.includes(value))) this.nodes[at] = { ...this.nodes[at]!, output: [name] };
    else this.nodes.push({ input: [value], output: [name], name: this.unique(name), opType: "Identity", attribute: [] });
  }

  /** Adds constant floats. */
  floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    return this.initializer(name, dims, ONNX_TYPES.float, new Uint8Array(Float32Array.from(values).buffer));
  }

  /** Adds constant integers of 64 bits, such as shapes. */
  ints(name: string, values: readonly number[]): string {
    return this.initializer(name, [values.length], ONNX_TYPES.int64, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  /** The name, with a number when it is taken. */
  private unique(name: string): string {
    let unique = name;
    for (let k = 2; this.names.has(unique); k++) unique = `${name}_${k}`;
    this.names.add(unique);
    return unique;
  }

  private initializer(name: string, dims: readonly number[], dataType: number, rawData: Uint8Array): string {
    this.bytes += rawData.byteLength;
    if (this.bytes > MOST_BYTES) {
      throw new VoxError(`the weights must fit into one ONNX file of ${MOST_BYTES} bytes, got more`, { code: "ERR_MODEL", where: "exportOnnx" });
    }
    const unique = this.unique(name);
    this.initializers.push({ dims, dataType, name: unique, rawData });
    return unique;
  }
}

function attribute([name, value]: [string, OnnxAttributeValue]): OnnxAttribute {
  if (typeof value === "number") return { name, type: ATTRIBUTE_TYPES.int, i: value };
  if (typeof value === "string") return { name, type: ATTRIBUTE_TYPES.string, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: ATTRIBUTE_TYPES.float, f: value.float };
  return { name, type: ATTRIBUTE_TYPES.ints, ints: value };
}
