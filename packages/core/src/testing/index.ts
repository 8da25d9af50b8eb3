export { type IssueOptions, type Scene, scene, type SceneOptions } from "./scene.ts";
export { asStored, storedRow } from "./stored.ts";
export { actors, ids, sampleIndex, sampleSettings, testId } from "./settings.ts";
export {
  addressRows,
  conversationRow,
  customerRow,
  loadRows,
  memoryWorld,
  type MemoryWorld,
  messageRow,
  type SparseWorld,
  sparseWorld,
  standsFor,
  type StartingRows,
  tableOf,
} from "./world.ts";
