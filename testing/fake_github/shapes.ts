/** The fake's data in GitHub's JSON: the description's own examples with their fields replaced. */
import type { FakeApp } from "./app.ts";
import type { OpenApi } from "./openapi.ts";
import type { FakeRepository } from "./repository.ts";
import type {
  FakeCheckRun,
  FakeComment,
  FakeDelivery,
  FakeLabelEvent,
  FakePull,
  FakeStatus,
} from "./state.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** Makes GitHub's JSON. */
export class Shapes {
  readonly #openApi: OpenApi;
  readonly #appId: number;

  constructor(openApi: OpenApi, appId: number) {
    this.#openApi = openApi;
    this.#appId = appId;
  }

  /** An example, moved to a repository. */
  #example(name: string, repository: FakeRepository): Json {
    const text = JSON.stringify(this.#openApi.example(name));
    return JSON.parse(
      text.replaceAll(/octocat\/Hello-World|github\/hello-world/g, repository.fullName),
    );
  }

  #user(login: string, type = "User"): Json {
    const like = this.#openApi.example("issue-comment").user;
    const renamed = JSON.stringify(like).replaceAll(like.login, encodeURIComponent(login));
    return { ...JSON.parse(renamed), login, type };
  }

  #app(like: Json): Json {
    return { ...like, id: this.#appId, slug: "tickborg", name: "Tickborg" };
  }

  repository(repository: FakeRepository): Json {
    const { parent: _p, source: _s, template_repository: _t, ...like } = this.#example(
      "full-repository-default-response",
      repository,
    );
    return {
      ...like,
      language: null,
      full_name: repository.fullName,
      default_branch: repository.defaultBranch,
      clone_url: repository.cloneUrl,
    };
  }

  pull(repository: FakeRepository, pull: FakePull): Json {
    return this.#pull(this.#example("pull-request", repository), repository, pull);
  }

  /** A pull request as lists show it, without `merged` and the counts. */
  listedPull(repository: FakeRepository, pull: FakePull): Json {
    const { merged: _, ...listed } = this.#pull(
      this.#example("pull-request-simple-items", repository)[0],
      repository,
      pull,
    );
    return listed;
  }

  #pull(like: Json, repository: FakeRepository, pull: FakePull): Json {
    const side = (of: Json, ref: string, sha: string) => ({
      ...of,
      label: `${repository.owner}:${ref}`,
      ref,
      sha,
      repo: {
        ...of.repo,
        clone_url: repository.cloneUrl,
        default_branch: repository.defaultBranch,
      },
    });
    return {
      ...like,
      number: pull.number,
      title: pull.title,
      state: pull.state,
      merged: pull.merged,
      merged_at: pull.merged ? pull.updatedAt : null,
      draft: pull.draft,
      user: this.#user(pull.author),
      created_at: pull.createdAt,
      updated_at: pull.updatedAt,
      labels: pull.labels.map((name, index) => this.label(repository, name, index)),
      requested_teams: [],
      head: withPush(side(like.head, pull.headRef, pull.headSha), pull.headPushedAt),
      base: side(like.base, pull.baseRef, pull.baseSha),
    };
  }

  label(repository: FakeRepository, name: string, id = 1): Json {
    const like = this.#example("label-items", repository)[0];
    const url = `https://api.github.com/repos/${repository.fullName}/labels/`;
    return { ...like, id, name, url: `${url}${encodeURIComponent(name)}` };
  }

  labelEvent(repository: FakeRepository, event: FakeLabelEvent): Json {
    const like = this.#example("issue-event-for-issue-items", repository)[0];
    const app = this.#app(this.#openApi.example("check-run").app);
    return {
      ...like,
      id: event.id,
      event: event.event,
      created_at: event.createdAt,
      label: { name: event.label, color: "ededed" },
      actor: event.byApp ? this.#user("tickborg[bot]", "Bot") : this.#user("maintainer"),
      performed_via_github_app: event.byApp ? app : null,
    };
  }

  status(repository: FakeRepository, status: FakeStatus): Json {
    return {
      ...this.#example("status", repository),
      id: status.id,
      state: status.state,
      description: status.description,
      target_url: status.targetUrl ?? null,
      context: status.context,
      created_at: status.createdAt,
      updated_at: status.createdAt,
    };
  }

  checkRun(repository: FakeRepository, run: FakeCheckRun): Json {
    const like = this.#example("check-run", repository);
    return {
      ...like,
      id: run.id,
      name: run.name,
      head_sha: run.headSha,
      external_id: run.externalId,
      status: run.status,
      conclusion: run.conclusion ?? null,
      details_url: run.detailsUrl ?? null,
      started_at: run.startedAt ?? null,
      completed_at: run.completedAt ?? null,
      output: {
        ...like.output,
        title: run.title,
        summary: run.summary,
        text: run.text ?? null,
        annotations_count: 0,
      },
      app: this.#app(like.app),
    };
  }

  comment(repository: FakeRepository, comment: FakeComment): Json {
    const like = this.#example("issue-comment", repository);
    const app = this.#app(this.#openApi.example("check-run").app);
    return {
      ...like,
      id: comment.id,
      body: comment.body,
      user: this.#user(comment.author, comment.authorType),
      author_association: comment.authorAssociation,
      created_at: comment.createdAt,
      updated_at: comment.createdAt,
      performed_via_github_app: comment.byApp ? app : null,
    };
  }

  reviewComment(repository: FakeRepository, comment: FakeComment): Json {
    return {
      ...this.#example("pull-request-review-comment", repository),
      id: comment.id,
      body: comment.body,
      user: this.#user(comment.author, comment.authorType),
      author_association: comment.authorAssociation,
      in_reply_to_id: comment.inReplyTo,
      created_at: comment.createdAt,
      updated_at: comment.createdAt,
    };
  }

  reaction(repository: FakeRepository, content: string): Json {
    const user = this.#user("tickborg[bot]", "Bot");
    return { ...this.#example("reaction", repository), content, user };
  }

  permission(repository: FakeRepository, login: string, permission: string): Json {
    const name = "repository-collaborator-permission-response-if-user-has-admin-permissions";
    const like = this.#example(name, repository);
    const user = { ...like.user, ...this.#user(login), role_name: permission };
    return { ...like, permission, role_name: permission, user };
  }

  installation(repository: FakeRepository, app: FakeApp): Json {
    const { installationId: id, installationPermissions, events } = app;
    const permissions = installationPermissions ?? app.permissions;
    const suspended_at = app.suspendedAt ?? null;
    const like = this.#example("installation", repository);
    return { ...like, id, app_id: this.#appId, permissions, events, suspended_at };
  }

  app({ id, permissions, events }: FakeApp): Json {
    return { ...this.#openApi.example("integration"), id, permissions, events };
  }

  token(token: string, expiresAt: string): Json {
    const { repositories: _, ...like } = this.#openApi.example("installation-token");
    return { ...like, token, expires_at: expiresAt, repository_selection: "all" };
  }

  delivery(delivery: FakeDelivery, installationId: number): Json {
    const ok = delivery.statusCode >= 200 && delivery.statusCode < 300;
    return {
      id: delivery.id,
      guid: delivery.guid,
      delivered_at: delivery.deliveredAt,
      redelivery: delivery.redelivery,
      duration: delivery.seconds,
      status: ok ? "OK" : delivery.statusCode === 0 ? "timed out" : `Invalid HTTP Response`,
      status_code: delivery.statusCode,
      event: delivery.event,
      action: delivery.action ?? null,
      installation_id: installationId,
      repository_id: delivery.repositoryId ?? null,
      throttled_at: null,
    };
  }
}

function withPush(head: Json, pushedAt: string): Json {
  return { ...head, repo: { ...head.repo, pushed_at: pushedAt } };
}
