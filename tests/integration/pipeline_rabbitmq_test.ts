import { type RabbitMqServer, startRabbitMq, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { tellStories } from "./story.ts";

let server: RabbitMqServer | undefined;

tellStories(
  "rabbitmq",
  async () => await (server ??= await startRabbitMq()).vhost(),
  withoutRabbitMq(),
);

Deno.test.afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});
