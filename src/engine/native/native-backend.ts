import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type { NativeAddon } from "../../kernels/native.js";
import type { Elements } from "./elements.js";
import { type Block, TensorMemory } from "./tensor-memory.js";

type Dtype = "float32" | "int32" | "bool";

// Below, an array of V8 is cheaper than a block.
const POOLED_BYTES = 16384;

/** What the stock backend keeps per tensor, and the block that holds the values. */
interface TensorData {
  values: Elements;
  dtype: tf.DataType;
  refCount: number;
  block?: Block;
}

/**
 * A TensorFlow.js backend whose tensors have the layout of the stock `cpu` backend, so that every stock kernel runs on them, and whose own kernels are in
 * the addon. Large tensors live in pooled memory.
 */
export class NativeBackend extends MathBackendCPU {
  readonly addon: NativeAddon;
  private readonly pool: TensorMemory;

  constructor(addon: NativeAddon) {
    super();
    this.addon = addon;
    this.pool = new TensorMemory(addon);
    // The stock class prints an advertisement at the first write.
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }

  /** The values of a tensor. They may be read until the tensor is disposed of. */
  values(info: tf.TensorInfo): Elements {
    return this.entry(info.dataId).values;
  }

  floats(info: tf.TensorInfo): Float32Array {
    return this.values(info) as Float32Array;
  }

  /** A new tensor with undefined values, to be filled by the caller. */
  output(shape: readonly number[], dtype: Dtype = "float32"): { info: tf.TensorInfo; values: Elements } {
    const size = tf.util.sizeFromShape(shape as number[]);
    const type = dtype === "float32" ? Float32Array : dtype === "int32" ? Int32Array : Uint8Array;
    const bytes = size * type.BYTES_PER_ELEMENT;
    const block = bytes >= POOLED_BYTES ? this.pool.take(bytes) : undefined;
    const values = block ? new type(block.slab.buffer, block.offset, size) : new type(size);
    const dataId = super.write(values, shape as number[], dtype);
    if (block) this.entry(dataId).block = block;
    return { info: { dataId, shape: shape as number[], dtype }, values };
  }

  outputFloats(shape: readonly number[]): { info: tf.TensorInfo; values: Float32Array } {
    return this.output(shape) as { info: tf.TensorInfo; values: Float32Array };
  }

  /** Bytes of pooled memory: all of it, and what tensors hold. */
  get poolBytes(): { held: number; used: number } {
    return this.pool.bytes;
  }

  /** Gives pooled memory that no tensor holds back to the system. */
  trim(): void {
    this.pool.trim();
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    // A stock kernel may pass on a view of its input; the input's block may be given back first, so the view becomes an array of its own.
    const isView = ArrayBuffer.isView(values) && this.pool.owns(values.buffer);
    return super.write(isView ? (values as Float32Array).slice() : values, shape, dtype);
  }

  override readSync(dataId: tf.DataId): tf.backend_util.BackendValues {
    const { block, values } = this.entry(dataId);
    // The caller may keep what it reads; the block will hold other values by then.
    return block ? values.slice() : super.readSync(dataId);
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    const block = this.data.has(dataId) ? this.entry(dataId).block : undefined;
    const isGone = super.disposeData(dataId, force);
    if (block && isGone) this.pool.give(block);
    return isGone;
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: false, reasons: [] };
  }

  private entry(dataId: tf.DataId): TensorData {
    return this.data.get(dataId) as unknown as TensorData;
  }
}
