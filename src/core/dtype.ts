/** Element types of volumes, each with its typed array. */
export interface DtypeArrays {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly uint16: Uint16Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
}

export type Dtype = keyof DtypeArrays;

export const DTYPE_BYTES: { readonly [D in Dtype]: number } = {
  float32: 4,
  float64: 8,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
};

const CONSTRUCTORS: { readonly [D in Dtype]: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => DtypeArrays[D] } = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
};

/** A typed array of the given dtype over `length` elements of a buffer. */
export function typedView<D extends Dtype>(dtype: D, buffer: ArrayBufferLike, byteOffset: number, length: number): DtypeArrays[D] {
  return new CONSTRUCTORS[dtype](buffer, byteOffset, length);
}
