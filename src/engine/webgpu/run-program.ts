import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tf from "@tensorflow/tfjs-core";

export type Dispatch = readonly [number, number, number];

export interface ShaderProgram {
  /** Names the program; with `constants` it tells it from all others. */
  readonly name: string;
  /** What is written into the text of the shader. */
  readonly constants?: readonly (number | string)[];
  /** Body of the shader in WGSL, with `fn main()`; inputs are arrays by their names, the output is `result`. */
  readonly code: string;
  /** Inputs by name; those in `vectors` are arrays of vec4. */
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly vectors?: readonly string[];
  /** Values of `uniforms.<name>`. */
  readonly integers?: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, number>>;
  readonly shape: readonly number[];
  readonly dtype?: tf.DataType;
  /** Changed in place instead of a new tensor. */
  readonly into?: tf.TensorInfo;
  readonly workgroup?: number;
  /** Workgroups along x, y and z; a row of one thread per value of the output by default. */
  readonly dispatch?: Dispatch;
}

const WORKGROUP = 64;
/** Workgroups along one dimension that every card takes. */
const MOST_WORKGROUPS = 65_535;

/** Number of a thread in programs that have one per value. */
export const THREAD = "let i = i32(globalId.y * numWorkgroups.x * 64u + globalId.x);";

/** Runs a shader on flat arrays; what it writes is the result, of the shape that is given. */
export function runProgram(
  backend: WebGPUBackend,
  {
    name,
    constants = [],
    code,
    inputs,
    vectors = [],
    integers = {},
    floats = {},
    shape,
    dtype = "float32",
    into,
    workgroup = WORKGROUP,
    dispatch,
  }: ShaderProgram,
): tf.TensorInfo {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const names = Object.keys(inputs);
  const program = {
    variableNames: names,
    variableComponents: names.map((each) => (vectors.includes(each) ? 4 : 1)),
    outputComponent: vectors.includes("result") ? 4 : 1,
    outputShape: [size],
    workgroupSize: [workgroup, 1, 1] as [number, number, number],
    dispatchLayout: { x: [0], y: [0], z: [0] },
    dispatch: [...(dispatch ?? rows(Math.ceil(size / WORKGROUP)))] as [number, number, number],
    uniforms: [...Object.keys(integers).map((each) => `${each} : i32,`), ...Object.keys(floats).map((each) => `${each} : f32,`)].join(" "),
    shaderKey: `voxstream ${name} ${constants.join(",")}`,
    getUserCode: () => code,
  };
  const uniforms = [
    ...Object.values(integers).map((value) => ({ type: "int32", data: [value] })),
    ...Object.values(floats).map((value) => ({ type: "float32", data: [value] })),
  ];
  const flat = Object.values(inputs).map((info) => ({ dataId: info.dataId, dtype: info.dtype, shape: [sizeOf(info)] }));
  const output = into && { dataId: into.dataId, dtype: into.dtype, shape: [size] };
  const { dataId } = backend.runWebGPUProgram(program, flat, dtype, uniforms, output);
  return { dataId, dtype, shape: [...shape] };
}

/** So many workgroups in rows that a card takes. */
export function rows(count: number, depth = 1): Dispatch {
  const across = Math.max(1, Math.min(count, MOST_WORKGROUPS));
  return [across, Math.max(1, Math.ceil(count / across)), depth];
}

export function sizeOf({ shape }: tf.TensorInfo): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
