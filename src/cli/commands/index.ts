import type { Command } from "commander";

interface CommandEntry {
  readonly name: string;
  readonly description: string;
  /** Loads the command with what it needs, which for most is TensorFlow.js. */
  readonly load: () => Promise<Command>;
}

/** All commands, in the order of `voxstream --help`. */
export const commands: readonly CommandEntry[] = [
  {
    name: "demo",
    description: "make a cohort of phantoms, train a 3D U-Net on some, predict and score the others, and show it all on the dashboard",
    load: async () => (await import("./demo.js")).demoCommand(),
  },
  {
    name: "phantom",
    description: "make KiTS-like CT cases with kidneys and tumors, in KiTS layout and several orientations",
    load: async () => (await import("./phantom.js")).phantomCommand(),
  },
  {
    name: "inspect",
    description: "list what the cases of a data set are: shapes, spacing, orientation, intensities, voxels per class",
    load: async () => (await import("./inspect.js")).inspectCommand(),
  },
  {
    name: "verify",
    description: "read every file of a data set and list what is wrong, each finding with its file and a fix",
    load: async () => (await import("./verify.js")).verifyCommand(),
  },
  {
    name: "init",
    description: "look at a data set and write a config file to start from: voxel size, patch, intensity range come from the data",
    load: async () => (await import("./init.js")).initCommand(),
  },
  {
    name: "train",
    description: "train as a config file says; the run folder gets events, history, checkpoints and figures",
    load: async () => (await import("./train.js")).trainCommand(),
  },
  {
    name: "predict",
    description: "predict a folder of images with a model bundle; label maps come out on exactly the grids of the image files",
    load: async () => (await import("./predict.js")).predictCommand(),
  },
  {
    name: "export",
    description: "write the network of a bundle for other programs: an ONNX file, or a model for plain TensorFlow.js",
    load: async () => (await import("./export.js")).exportCommand(),
  },
  {
    name: "evaluate",
    description: "compare predictions with references per case and class: Dice, IoU, sensitivity, precision, HD95, ASSD, NSD, volume error",
    load: async () => (await import("./evaluate.js")).evaluateCommand(),
  },
  {
    name: "crossval",
    description:
      "k-fold cross-validation as a config file says: every case is predicted by a network that never saw it; tables, figures, HTML report",
    load: async () => (await import("./crossval.js")).crossvalCommand(),
  },
  {
    name: "compare",
    description:
      "train networks, losses or other variants on the same folds and seeds; one table with intervals, paired differences and costs, figures, HTML report",
    load: async () => (await import("./compare.js")).compareCommand(),
  },
  {
    name: "dashboard",
    description:
      "serve the live page of a folder of runs (or of one run); only reads, so it may start late, restart, or watch another machine's runs",
    load: async () => (await import("./dashboard.js")).dashboardCommand(),
  },
  {
    name: "engines",
    description:
      "list what can execute TensorFlow.js operations here, why others cannot, and whether their operations are right; --engine auto takes the first",
    load: async () => (await import("./engines.js")).enginesCommand(),
  },
  {
    name: "cache",
    description: "list, verify or prune the cases that cached(...) keeps; the folder is VOXSTREAM_CACHE or `cache` by default",
    load: async () => (await import("./cache.js")).cacheCommand(),
  },
  {
    name: "bench",
    description: "measure a part of the product on this machine; one thread unless --threads says otherwise",
    load: async () => (await import("./bench.js")).benchCommand(),
  },
];
