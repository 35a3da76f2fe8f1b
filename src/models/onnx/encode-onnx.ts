// Internal: part of the ONNX export.
import protobuf from "protobufjs/light.js";

/** Of TensorProto.DataType. */
export const ONNX_TYPES = { float: 1, int64: 7 } as const;

/** Of AttributeProto.AttributeType. */
export const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, ints: 7 } as const;

export interface OnnxAttribute {
  readonly name: string;
  readonly type: (typeof ATTRIBUTE_TYPES)[keyof typeof ATTRIBUTE_TYPES];
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly ints?: readonly number[];
}

export interface OnnxNode {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly attribute: readonly OnnxAttribute[];
}

export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly name: string;
  readonly rawData: Uint8Array;
}

/** A number, or the name of an extent that is open. */
export type OnnxExtent = number | string;

export interface OnnxValue {
  readonly name: string;
  readonly extents: readonly OnnxExtent[];
}

export interface OnnxModel {
  readonly opset: number;
  readonly producerVersion: string;
  readonly graphName: string;
  readonly doc: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Version of the file format that goes with opset 17, of ONNX 1.12. */
const IR_VERSION = 8;

const field = (type: string, id: number) => ({ type, id });
const list = (type: string, id: number) => ({ rule: "repeated", type, id });

/**
 * The messages of ONNX that a network of convolutions needs.
 *
 * @source github.com/onnx/onnx, onnx/onnx.proto (field names and numbers)
 */
const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: field("int64", 1),
        producerName: field("string", 2),
        producerVersion: field("string", 3),
        graph: field("GraphProto", 7),
        opsetImport: list("OperatorSetIdProto", 8),
        metadataProps: list("StringStringEntryProto", 14),
      },
    },
    OperatorSetIdProto: { fields: { domain: field("string", 1), version: field("int64", 2) } },
    StringStringEntryProto: { fields: { key: field("string", 1), value: field("string", 2) } },
    GraphProto: {
      fields: {
        node: list("NodeProto", 1),
        name: field("string", 2),
        initializer: list("TensorProto", 5),
        docString: field("string", 10),
        input: list("ValueInfoProto", 11),
        output: list("ValueInfoProto", 12),
      },
    },
    NodeProto: {
      fields: {
        input: list("string", 1),
        output: list("string", 2),
        name: field("string", 3),
        opType: field("string", 4),
        attribute: list("AttributeProto", 5),
      },
    },
    AttributeProto: {
      fields: {
        name: field("string", 1),
        f: field("float", 2),
        i: field("int64", 3),
        s: field("bytes", 4),
        ints: list("int64", 8),
        type: field("int32", 20),
      },
    },
    TensorProto: { fields: { dims: list("int64", 1), dataType: field("int32", 2), name: field("string", 8), rawData: field("bytes", 9) } },
    ValueInfoProto: { fields: { name: field("string", 1), type: field("TypeProto", 2) } },
    TypeProto: { fields: { tensorType: field("TensorTypeProto", 1) } },
    TensorTypeProto: { fields: { elemType: field("int32", 1), shape: field("TensorShapeProto", 2) } },
    TensorShapeProto: { fields: { dim: list("DimensionProto", 1) } },
    DimensionProto: { fields: { dimValue: field("int64", 1), dimParam: field("string", 2) } },
  },
});

const ModelProto = root.lookupType("ModelProto");

/** The bytes of an `.onnx` file. */
export function encodeOnnx({ opset, producerVersion, graphName, doc, nodes, initializers, inputs, outputs, metadata }: OnnxModel): Uint8Array {
  return ModelProto.encode({
    irVersion: IR_VERSION,
    producerName: "voxstream",
    producerVersion,
    opsetImport: [{ domain: "", version: opset }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: { node: nodes, name: graphName, initializer: initializers, docString: doc, input: inputs.map(valueInfo), output: outputs.map(valueInfo) },
  }).finish();
}

function valueInfo({ name, extents }: OnnxValue) {
  const dim = extents.map((extent) => (typeof extent === "number" ? { dimValue: extent } : { dimParam: extent }));
  return { name, type: { tensorType: { elemType: ONNX_TYPES.float, shape: { dim } } } };
}
