// What the decoder can be given: whose latent it is, and that of the clean picture beside it.

export const SOURCES = {
  clean: { latent: "clean", dry: "clean" },
  before: { latent: "rainy", dry: "clean" },
  after: { latent: "tuned_rainy", dry: "tuned_clean" },
};
