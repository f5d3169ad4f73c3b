import { tellStories } from "./story.ts";

tellStories("embedded", () => Promise.resolve(undefined));
