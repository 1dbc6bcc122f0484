// Made by "make generate" from the server's OpenAPI document. Do not edit.

export interface paths {
    "/api/vwmp/about/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is this server, and how much does it keep? */
        get: operations["get-about"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/admin/backup/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Back the data up into one file on the server's machine
         * @description The answer comes once the file was read back and is durable.
         */
        post: operations["back-up"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/admin/check/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check every record of the data
         * @description It reads everything and may take minutes; nothing waits for it.
         */
        get: operations["check-data"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/audit/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List who did what, the newest first
         * @description Each record has the SHA-256 of itself and of the one before. format=jsonl gives all that match as lines of JSON, the oldest first.
         */
        get: operations["list-audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/auth/login/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign a browser in
         * @description Sets a session cookie.
         */
        post: operations["log-in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/auth/logout/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the browser's session */
        post: operations["log-out"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/auth/me/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who am I, and what may I do? */
        get: operations["get-me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/auth/password/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the own password
         * @description It ends all other sessions of the account.
         */
        post: operations["change-password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/auth/sessions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the browsers that are signed in
         * @description One's own; administrators also see those of others.
         */
        get: operations["list-sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/auth/sessions/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Sign a browser out
         * @description It counts at once, for open connections too.
         */
        delete: operations["end-session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/auth/sign-in-links/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a link that signs a browser in
         * @description Works once, within 10 minutes.
         */
        post: operations["create-sign-in-link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/auth/tickets/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a ticket for one WebSocket
         * @description Used as ?ticket= once, within 30 seconds.
         */
        post: operations["create-ticket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/auth/tokens/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List API tokens, without their secrets
         * @description One's own; administrators also see those of others.
         */
        get: operations["list-tokens"];
        put?: never;
        /**
         * Make an API token
         * @description The answer is the only one that shows it. It may do what its role says, and never more than its owner.
         */
        post: operations["create-token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/auth/tokens/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an API token
         * @description It counts at once, for open connections too.
         */
        delete: operations["revoke-token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List executions, the newest first */
        get: operations["list-executions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a result as it stands */
        get: operations["get-execution"];
        put?: never;
        post?: never;
        /** Delete an ended execution's history */
        delete: operations["delete-execution"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/artifacts/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the files that an execution's steps made */
        get: operations["list-artifacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/artifacts/{sha256}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a file that a step made, or a large output
         * @description 404 once the file is not as the step left it.
         */
        get: operations["get-artifact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/cancel/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel an execution
         * @description Clean-up steps still run; a second cancel ends them too.
         */
        post: operations["cancel-execution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/compare/{other}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare two executions step by step
         * @description Steps are found by their ids; those of the first execution come first.
         */
        get: operations["compare-executions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/events/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the event history, or follow it as text/event-stream */
        get: operations["get-events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/explain/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Say why each step is as it is */
        get: operations["explain-execution"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/fork/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fork an ended execution
         * @description A new execution from a step on that keeps what came before. Parameters, config and outputs can be edited by those who may edit workflows.
         */
        post: operations["fork-execution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/logs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get log lines, as JSON or text/plain */
        get: operations["get-logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/pause/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause an execution
         * @description What runs goes on to its end; nothing more starts until it is resumed.
         */
        post: operations["pause-execution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/resume/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take up a paused or parked execution again */
        post: operations["resume-execution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/retry/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry an ended execution
         * @description A new execution that keeps what succeeded and starts from what failed, or from a step.
         */
        post: operations["retry-execution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/signals/{name}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a signal
         * @description The body is its payload. Every step that waits for the signal gets it, or else the first one that will.
         */
        post: operations["send-signal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/steps/{step}/approve/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answer a step that waits for an approval
         * @description 403 where the caller is not among its approvers.
         */
        post: operations["approve-step"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/steps/{step}/input/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get what a step was called with
         * @description Its config with the values of its references. Secrets are hidden, references to the host's own configuration stay as they are written, and defaults of the handler are not added.
         */
        get: operations["get-step-input"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/steps/{step}/output/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a step's output whole
         * @description Also one that is too large to stand in the result.
         */
        get: operations["get-step-output"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/steps/{step}/resolve/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Decide an interrupted step */
        post: operations["resolve-step"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/undo/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Undo an ended execution
         * @description A new execution that takes back what can be taken back, last finished first.
         */
        post: operations["undo-execution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/executions/{id}/workflow/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the definition that an execution is pinned to
         * @description It stays as it is when the workflow changes or is deleted.
         */
        get: operations["get-execution-workflow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/hooks/{token}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fire a webhook
         * @description Open to all: the token opens its trigger and nothing else. Where the trigger has a signature, the named header carries the HMAC-SHA256 of the body in hexadecimal, after the prefix. At most 60 calls a minute.
         */
        post: operations["call-hook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/plugins/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the plugins and their processes
         * @description Files that are not used as plugins are in the list too, with the state refused and the reason.
         */
        get: operations["list-plugins"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/plugins/{name}/disable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Keep a plugin from being called
         * @description Calls that run go on to their ends, and steps that come wait. Its handlers stay known. It lasts until it is enabled, over restarts of the server too.
         */
        post: operations["disable-plugin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/plugins/{name}/enable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let a plugin be called again
         * @description Steps that wait for it go on. It also ends the rest of a plugin that is quarantined. Nothing changes for one that is enabled.
         */
        post: operations["enable-plugin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/plugins/{name}/reload/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Look at a plugin's file anew
         * @description A new version is taken up: calls that run end on the old one. Without a new version the next call gets a process of its own. A version that would break stored workflows, or has crashed too often, is a 409 that lists what would break, unless force is set.
         */
        post: operations["reload-plugin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/plugins/{name}/usage/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the stored workflows and steps that use a plugin
         * @description By its handlers and its workflow types, of the newest revision of each workflow.
         */
        get: operations["get-plugin-usage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/secrets/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the names of the secrets
         * @description Nothing shows a value, once it is set.
         */
        get: operations["list-secrets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/secrets/{name}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set a secret
         * @description 201 for a new name, 204 for a new value. Steps refer to it as ${secrets.NAME}.
         */
        put: operations["set-secret"];
        post?: never;
        /**
         * Delete a secret
         * @description Steps that refer to it fail with SECRET_NOT_FOUND from then on.
         */
        delete: operations["delete-secret"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/secrets/{name}/usage/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the stored workflows that refer to a secret
         * @description Of each workflow the newest revision is looked at. A name that nobody has set may be referred to all the same.
         */
        get: operations["get-secret-usage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/stats/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get counts and durations, by day and by workflow */
        get: operations["get-stats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/step-handlers/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the handlers that steps can have */
        get: operations["list-step-handlers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/step-handlers/{path}/schema/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a handler with its schemas, an example and hints for forms */
        get: operations["get-step-handler"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/triggers/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the triggers of all workflows
         * @description With when each is due next and what came of its last firings. Who may edit also sees the paths of webhooks.
         */
        get: operations["list-triggers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/triggers/{id}/fire/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fire a trigger by hand
         * @description Starts its workflow now, also while the trigger is paused.
         */
        post: operations["fire-trigger"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/triggers/{id}/pause/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keep a trigger from firing by itself */
        post: operations["pause-trigger"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/triggers/{id}/resume/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a paused trigger fire again, from now on */
        post: operations["resume-trigger"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/users/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the accounts by name */
        get: operations["list-users"];
        put?: never;
        /** Make an account */
        post: operations["create-user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/users/{name}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get an account */
        get: operations["get-user"];
        /**
         * Change an account
         * @description What is left out stays as it is. The change counts at once, for open connections too. A new password ends all sessions of the account.
         */
        put: operations["update-user"];
        post?: never;
        /**
         * Remove an account with its tokens and sessions
         * @description 409 for the last administrator.
         */
        delete: operations["delete-user"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflow-types/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the workflow types that plugins declare */
        get: operations["list-workflow-types"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflow-types/{name}/templates/{template}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a template's document, as JSON or YAML */
        get: operations["get-template"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List workflows
         * @description Metadata of the workflows that match, one page of them. Link and X-Total-Count lead to the others.
         */
        get: operations["list-workflows"];
        put?: never;
        /** Save a new workflow */
        post: operations["create-workflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/import/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring a file in
         * @description Saves a document under an id of its own. 201 where it is new.
         */
        post: operations["import-workflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/validate/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check a document without saving it */
        post: operations["validate-workflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a workflow
         * @description Definition and metadata in one object, or the text as YAML (Accept: application/yaml). The ETag is the revision.
         */
        get: operations["get-workflow"];
        /**
         * Save a new revision
         * @description If-Match guards against a lost update.
         */
        put: operations["update-workflow"];
        post?: never;
        /**
         * Delete a workflow
         * @description Its executions' history stays. 409 while one of them is live.
         */
        delete: operations["delete-workflow"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/{id}/access/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Say whose a workflow is, and who may see it
         * @description For its owner and administrators. What is left out stays as it is. Who may not see a workflow gets 404 for it and its executions.
         */
        put: operations["set-workflow-access"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/{id}/execute/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Execute a workflow
         * @description 202 as soon as the execution is durable; 200 with the result where the caller waits for its end. A body whose keys are all declared parameters is taken as the parameters.
         */
        post: operations["execute-workflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/{id}/export/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Take a workflow out as a file */
        get: operations["export-workflow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/{id}/plan/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say what an execution would do
         * @description Asks every handler in order and does nothing. The body is that of execute.
         */
        post: operations["plan-workflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/{id}/steps/{step}/run/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run one step of a workflow
         * @description The other steps are skipped. Another config, and outputs to pretend for other steps, are for those who may edit workflows.
         */
        post: operations["run-step"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/{id}/versions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a workflow's revisions, the newest first */
        get: operations["list-versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/{id}/versions/{a}/diff/{b}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare two revisions
         * @description Step by step and value by value without regard to order, and as a unified diff of the YAML texts.
         */
        get: operations["compare-versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/{id}/versions/{revision}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get one revision whole
         * @description Its definition and metadata, or its text as YAML (Accept: application/yaml). The ETag is the revision.
         */
        get: operations["get-version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workflows/{id}/versions/{revision}/restore/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore a revision as a new one
         * @description Its text becomes the newest revision, byte for byte. If-Match guards against a lost update.
         */
        post: operations["restore-version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/vwmp/workspaces/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the folders that executions may touch */
        get: operations["list-workspaces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is the server up? */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Metrics of the server, as Prometheus reads them
         * @description A scraper sends an API token of the role viewer as Authorization: Bearer.
         */
        get: operations["get-metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This description */
        get: operations["get-openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is every plugin known? */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ws/vwmp/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * WebSocket: starts, changes of state and ends of all executions, and saves of workflows
         * @description Events carry the seq of their execution, so that there are gaps. Three events belong to no execution, and have neither execution_id nor seq: `workflow_changed` (workflow_id, revision, by), `workflow_deleted` (workflow_id, by), and `plugins_changed`, with `timestamp`, `plugins` (the names of those that changed; empty where a file that is no plugin did), `catalogue` (true: handlers or workflow types may be others than before, or can or can't be called any more; false: only the state of processes changed) and `generation` (a number that rises with each change of the catalogue). Who connects again reads GET /plugins/ and /step-handlers/ anew: nothing is repeated.
         */
        get: operations["ws-events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ws/vwmp/executions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * WebSocket: follow an execution
         * @description First a snapshot, then every event after it; with after_seq every event after that one instead.
         */
        get: operations["ws-follow-execution"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ws/vwmp/workflows/{id}/execute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * WebSocket: execute a workflow and follow it
         * @description Starts with {"type": "start", "parameters": {…}}, or with the defaults after a second.
         */
        get: operations["ws-execute-workflow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        APIToken: {
            /** Format: date-time */
            created_at: string;
            /**
             * Format: date-time
             * @description Missing for one that does not expire
             */
            expires_at?: string;
            id: string;
            /**
             * Format: date-time
             * @description To the minute; missing for one that was never used
             */
            last_used?: string;
            name: string;
            owner: string;
            /** @enum {string} */
            role: "viewer" | "executor" | "editor" | "admin";
        };
        About: {
            commit?: string;
            data: components["schemas"]["KeptData"];
            /** @description Operating system and processor */
            platform?: string;
            /** @description The versions of the plugin protocol that it speaks */
            plugin_protocols: number[];
            /** Format: date-time */
            started_at: string;
            version: string;
        };
        AccessChange: {
            /** @description An account */
            owner?: string;
            team?: string;
            /** @enum {string} */
            visibility?: "private" | "team" | "all";
        };
        Account: {
            /** @description Told to the server's own account: nobody has made another one yet */
            alone?: boolean;
            /**
             * @description Whether this server asks callers to sign in
             * @enum {string}
             */
            auth: "token" | "none";
            /**
             * Format: date-time
             * @description The session's end
             */
            expires_at?: string;
            /** @description There is a password that can be changed; missing for who signs in elsewhere, and for the server's own account */
            has_password?: boolean;
            role: string;
            /** @enum {string} */
            signed_in_by: "token" | "cookie" | "ticket" | "none";
            teams: string[];
            user: string;
        };
        Approval: {
            /** @description false rejects, and fails the step */
            approved: boolean;
            comment?: string;
            /** @description The answers to the form, an object; they become the step's output */
            data?: unknown;
            /**
             * Format: int64
             * @description The item of a for_each; without it, the first that waits
             */
            item?: number;
        };
        Artifact: {
            /** Format: int64 */
            attempt: number;
            /** Format: int64 */
            item_index?: number;
            media_type?: string;
            /** @description In the workspace */
            path: string;
            /**
             * Format: int64
             * @description The number of the log line that tells of it
             */
            seq: number;
            sha256: string;
            /**
             * Format: int64
             * @description Bytes
             */
            size: number;
            step_id: string;
            /** Format: date-time */
            timestamp: string;
        };
        ArtifactList: {
            artifacts: components["schemas"]["Artifact"][];
            /** @description The next page's after_seq; empty on the last one */
            next: string;
        };
        Attempt: {
            /** Format: int64 */
            attempt: number;
            checksum?: string;
            /** Format: date-time */
            completed_at?: string;
            /**
             * Format: double
             * @description Processor time that it took, as the kernel counts it
             */
            cpu_seconds?: number;
            error?: components["schemas"]["Error"];
            /** Format: double */
            execution_time: number;
            /**
             * Format: int64
             * @description The most resident memory that its plugin's process had meanwhile
             */
            memory_bytes?: number;
            /** @description Other calls ran in the process too: the time is an equal part for each, the memory is that of all */
            shared_process?: boolean;
            /** Format: date-time */
            started_at: string;
            status: string;
        };
        AuditList: {
            /** @description The next page's cursor; empty on the last one */
            next: string;
            records: components["schemas"]["AuditRecord"][];
        };
        AuditRecord: {
            action: string;
            address?: string;
            detail?: string;
            hash: string;
            object?: string;
            prev: string;
            request_id?: string;
            result: string;
            role?: string;
            /** Format: int64 */
            seq: number;
            /** Format: int64 */
            status?: number;
            /** Format: date-time */
            time: string;
            way?: string;
            who: string;
        };
        BackUpInputBody: {
            /** @description An absolute path on the server's machine where there is no file yet; by default a name with the time in the data folder's backup/ */
            file?: string;
            /** @description Take the key of the secrets and the admin token along */
            with_key?: boolean;
        };
        Backup: {
            /** Format: date-time */
            created_at: string;
            file: string;
            /** Format: int64 */
            files: number;
            /** Format: int64 */
            format: number;
            sha256: string;
            /** Format: int64 */
            size: number;
            with_key: boolean;
        };
        Capabilities: {
            cancel: boolean;
            checkpoint: boolean;
            plan: boolean;
            reconcile: boolean;
            undo: boolean;
            validate: boolean;
        };
        CappedLog: {
            /** Format: int64 */
            after_seq: number;
            /** Format: int64 */
            attempt: number;
            /** Format: int64 */
            dropped: number;
            /** Format: int64 */
            limit: number;
            step_id: string;
        };
        Change: {
            after?: unknown;
            before?: unknown;
            /** @enum {string} */
            kind: "added" | "removed" | "changed";
            pointer: string;
            step_id?: string;
            summary: string;
        };
        ComparedResult: {
            /** Format: int64 */
            attempts: number;
            error?: components["schemas"]["Error"];
            /**
             * Format: double
             * @description Seconds
             */
            execution_time: number;
            handler: string;
            /** @description The execution whose result it repeats; it took no time here */
            kept_from?: string;
            skip_reason?: string;
            status: string;
        };
        ComparedRun: {
            /** Format: date-time */
            completed_at?: string;
            execution_id: string;
            /** Format: date-time */
            started_at: string;
            status: string;
            /**
             * Format: double
             * @description Seconds
             */
            total_time: number;
            trigger: string;
            workflow_id: string;
            workflow_name: string;
            /** Format: int64 */
            workflow_revision: number;
        };
        ComparedStep: {
            /** @description Missing where the execution has no such step */
            execution?: components["schemas"]["ComparedResult"];
            /**
             * Format: double
             * @description Seconds that the other took longer; negative where it was faster
             */
            execution_time_difference: number;
            /**
             * Format: int64
             * @description How many further differences are not listed
             */
            more?: number;
            /** @description Missing where the other execution has no such step */
            other?: components["schemas"]["ComparedResult"];
            /** @description Where the outputs differ */
            output: components["schemas"]["Difference"][];
            /** @description Status, output and failure are the same; the time may differ */
            same: boolean;
            step_id: string;
            step_name: string;
        };
        Comparison: {
            execution: components["schemas"]["ComparedRun"];
            other: components["schemas"]["ComparedRun"];
            /** @description Where the parameters differ */
            parameters: components["schemas"]["Difference"][];
            steps: components["schemas"]["ComparedStep"][];
        };
        Counts: {
            /** @description The oldest first; days without an execution too */
            by_day: components["schemas"]["DayFigures"][];
            /** @description Those executed most first */
            by_workflow: components["schemas"]["WorkflowFigures"][];
            /** @description false where there were so many that only the newest 10,000 are counted */
            complete: boolean;
            /** Format: int64 */
            executions: number;
            /** @description Of the executions that were created in the last 24 hours */
            last_24h: components["schemas"]["Figures"];
            /**
             * Format: int64
             * @description Executions that have not ended
             */
            live: number;
            /** @description Of those in the 24 hours before */
            previous_24h: components["schemas"]["Figures"];
            /**
             * Format: date-time
             * @description From when on executions are counted by day and by workflow
             */
            since: string;
            /** @description The disk has no room for new executions */
            store_full: boolean;
            /** Format: int64 */
            workflows: number;
        };
        "Create-sign-in-link": {
            /** Format: date-time */
            expires_at: string;
            ticket: string;
            url: string;
        };
        "Create-ticket": {
            /** Format: date-time */
            expires_at: string;
            ticket: string;
        };
        DataReport: {
            /** Format: int64 */
            audit: number;
            /** Format: int64 */
            blobs: number;
            /** Format: int64 */
            events: number;
            /** Format: int64 */
            executions: number;
            /** Format: int64 */
            log_lines: number;
            /** Format: int64 */
            months: number;
            /** @description There are no problems */
            ok: boolean;
            /** Format: int64 */
            pages: number;
            problems: string[] | null;
            warnings: string[] | null;
            /** Format: int64 */
            workflows: number;
        };
        DayFigures: {
            /**
             * Format: double
             * @description Seconds
             */
            average_time: number;
            /** Format: int64 */
            cancelled: number;
            /**
             * Format: date
             * @description In UTC
             */
            date: string;
            /** Format: int64 */
            failed: number;
            /** Format: int64 */
            live: number;
            /**
             * Format: double
             * @description Seconds
             */
            longest_time: number;
            /**
             * Format: double
             * @description Seconds
             */
            median_time: number;
            /**
             * Format: double
             * @description Seconds that 95 of 100 did not exceed
             */
            p95_time: number;
            /** Format: int64 */
            partial: number;
            /** Format: int64 */
            success: number;
            /** Format: int64 */
            total: number;
        };
        Difference: {
            /** @description The value of the other execution */
            after?: unknown;
            /** @description The value of the execution */
            before?: unknown;
            /** @enum {string} */
            kind: "added" | "removed" | "changed";
            /** @description JSON pointer (RFC 6901) */
            pointer: string;
        };
        EffectRecord: {
            action: string;
            done: boolean;
            external_id?: string;
            target: string;
        };
        Error: {
            class?: string;
            code: string;
            fault?: string;
            message: string;
            pointer?: string;
            retryable: boolean;
        };
        Event: {
            /** Format: int64 */
            attempt?: number;
            by?: string;
            /** Format: double */
            delay?: number;
            details?: unknown;
            error?: components["schemas"]["Error"];
            event: string;
            execution_id: string;
            /** Format: double */
            execution_time?: number;
            fields?: unknown;
            handler?: string;
            /** Format: int64 */
            item_index?: number;
            kept_from?: string;
            level?: string;
            message?: string;
            output?: unknown;
            /** Format: double */
            percentage?: number;
            private?: components["schemas"]["Private"];
            progress?: components["schemas"]["Progress"];
            reason?: string;
            /** Format: int64 */
            seq: number;
            skip_reason?: string;
            status?: string;
            step_id?: string;
            step_name?: string;
            /** Format: date-time */
            timestamp: string;
            /** Format: int64 */
            total_steps?: number;
            /** Format: double */
            total_time?: number;
            trigger?: string;
            workflow_id: string;
            workflow_name?: string;
        };
        EventList: {
            events: components["schemas"]["Event"][];
            /** @description The next page's after_seq; empty on the last one */
            next: string;
        };
        ExecutionList: {
            executions: components["schemas"]["ListedExecution"][];
            /** @description The next page's cursor; empty on the last one */
            next: string;
        };
        Explanation: {
            execution_id: string;
            slot?: components["schemas"]["SlotView"];
            status: string;
            steps: components["schemas"]["StepExplanation"][] | null;
            summary: string;
        };
        Figures: {
            /**
             * Format: double
             * @description Seconds
             */
            average_time: number;
            /** Format: int64 */
            cancelled: number;
            /** Format: int64 */
            failed: number;
            /** Format: int64 */
            live: number;
            /**
             * Format: double
             * @description Seconds
             */
            longest_time: number;
            /**
             * Format: double
             * @description Seconds
             */
            median_time: number;
            /**
             * Format: double
             * @description Seconds that 95 of 100 did not exceed
             */
            p95_time: number;
            /** Format: int64 */
            partial: number;
            /** Format: int64 */
            success: number;
            /** Format: int64 */
            total: number;
        };
        FireRequest: {
            /** @description What ${trigger.…} stands for, such as {"body": {…}} */
            trigger?: {
                [key: string]: unknown;
            };
        };
        Firing: {
            /**
             * Format: date-time
             * @description When it was decided
             */
            at: string;
            /** @description Who fired it by hand */
            by?: string;
            /** @description The execution whose end fired it */
            cause?: string;
            /**
             * Format: int64
             * @description How many occasions are told here together
             */
            count?: number;
            /**
             * Format: date-time
             * @description Of a schedule: when it was due
             */
            due?: string;
            execution_id?: string;
            /** Format: int64 */
            number: number;
            /** @enum {string} */
            outcome: "fired" | "missed" | "refused";
            /** @description Why it was missed or refused */
            reason?: string;
            /**
             * Format: date-time
             * @description The last of several occasions
             */
            until?: string;
        };
        ForkOptions: {
            /** @description An object, in the place of from_step's config */
            config?: unknown;
            /** @description Made again with all that comes after it */
            from_step: string;
            /**
             * Format: int64
             * @description The one item of its for_each that is made again
             */
            item?: number;
            /** @description By the ids of earlier steps, in the place of their outputs */
            outputs?: {
                [key: string]: unknown;
            };
            /** @description An object; those that it names replace the earlier ones */
            parameters?: unknown;
        };
        ForkPlan: {
            /** @description Steps whose results are taken over */
            kept: string[];
            /** @description Steps that are made again */
            redone: string[];
            /** @description Those of redone that ran before and would do something twice */
            unsafe: string[];
        };
        Forked: {
            /** Format: date-time */
            completed_at?: string;
            /** Format: date-time */
            created_at: string;
            error?: components["schemas"]["Error"];
            execution_id: string;
            fork_of?: string;
            kept: string[];
            parameters: unknown;
            parent?: components["schemas"]["Parent"];
            progress: components["schemas"]["Progress"];
            redone: string[];
            retry_of?: string;
            /** Format: date-time */
            started_at: string;
            status: string;
            status_reason?: string;
            /** Format: double */
            total_time: number;
            trigger: string;
            undo_of?: string;
            undone_by?: string;
            unsafe: string[];
            /** @description Where its events are */
            websocket_url: string;
            workflow_id: string;
            workflow_name: string;
            /** Format: int64 */
            workflow_revision: number;
            workflow_version?: string;
            workspace?: string;
        };
        GitSummary: {
            /** @description Empty where no branch is checked out */
            branch?: string;
            detached: boolean;
            /**
             * @description What git is in the middle of
             * @enum {string}
             */
            state: "normal" | "merging" | "rebasing" | "cherry_picking" | "reverting" | "bisecting";
        };
        HandlerDetail: {
            capabilities: components["schemas"]["Capabilities"];
            category: string;
            config_schema: unknown;
            /**
             * Format: double
             * @description Seconds; 0 leaves it to the host
             */
            default_timeout: number;
            description: string;
            effect_class: string;
            example_config: unknown;
            icon: string;
            name: string;
            network?: string[] | null;
            output_schema: unknown;
            path: string;
            plugin: string;
            plugin_version: string;
            secrets?: string[] | null;
            /** @description Words by which somebody may look for it */
            tags: string[];
            ui_hints: unknown;
            /** @description Those that name it among their default steps; none is all */
            workflow_types: string[];
        };
        HandlerList: {
            handlers: components["schemas"]["HandlerSummary"][];
            next: string;
        };
        HandlerSummary: {
            capabilities: components["schemas"]["Capabilities"];
            category: string;
            config_schema: unknown;
            description: string;
            effect_class: string;
            icon: string;
            name: string;
            output_schema: unknown;
            path: string;
            plugin: string;
            plugin_version: string;
            /** @description Words by which somebody may look for it */
            tags: string[];
            /** @description Those that name it among their default steps; none is all */
            workflow_types: string[];
        };
        HandlerUsage: {
            path: string;
            workflows: components["schemas"]["UsageWorkflow"][];
        };
        Health: {
            status: string;
        };
        HeldVersion: {
            /** @description What in stored workflows would break */
            changes: components["schemas"]["PluginChange"][];
            checksum?: string;
            last_words?: string[] | null;
            /** @description A sentence */
            message: string;
            /**
             * @description breaking: stored workflows would not go together with it. removed: the file is gone, and stored workflows use it. crashed: it crashed too often when it was used. unchecked: the stored workflows could not be read. broken: the file can't be used
             * @enum {string}
             */
            reason: "breaking" | "removed" | "crashed" | "unchecked" | "broken";
            version?: string;
        };
        Imported: {
            /** @enum {string} */
            action: "created" | "updated" | "would_create" | "would_update";
            warnings: components["schemas"]["Item"][];
            /** @description Its metadata; of a dry run only where it is there already */
            workflow?: components["schemas"]["Workflow"];
        };
        Item: {
            /** @description Lower-case word a program can act on */
            code: string;
            /**
             * Format: int64
             * @description Column in the text that was sent, from 1
             */
            column?: number;
            /**
             * Format: int64
             * @description Line in the text that was sent, from 1
             */
            line?: number;
            /** @description Sentence a person can act on */
            message: string;
            /** @description JSON pointer (RFC 6901) into the request's body, or the name of a parameter */
            pointer: string;
            /** @description The step it belongs to */
            step_id?: string;
        };
        ItemResult: {
            /** Format: int64 */
            attempts: number;
            child_execution_id?: string;
            /** Format: date-time */
            completed_at?: string;
            error?: components["schemas"]["Error"];
            /** Format: int64 */
            index: number;
            output?: unknown;
            skip_reason?: string;
            /** Format: date-time */
            started_at?: string;
            status: string;
            undo?: components["schemas"]["Undo"];
            waiting?: components["schemas"]["Waiting"];
        };
        Kept: {
            declared?: boolean;
            items?: components["schemas"]["KeptItem"][] | null;
            /** Format: int64 */
            order?: number;
            output?: unknown;
            skip_reason?: string;
            status?: string;
            step_id: string;
            undo_token?: unknown;
            values?: unknown[] | null;
        };
        KeptData: {
            /** Format: int64 */
            executions: number;
            /**
             * Format: int64
             * @description Bytes of the main data file; 0 where nothing is kept on disk
             */
            file_size: number;
            /** @description The disk has no room for new executions */
            full: boolean;
            /** Format: int64 */
            workflows: number;
        };
        KeptItem: {
            declared?: boolean;
            /** Format: int64 */
            index: number;
            /** Format: int64 */
            order?: number;
            output?: unknown;
            undo_token?: unknown;
        };
        Latency: {
            /**
             * Format: double
             * @description Seconds
             */
            max: number;
            /**
             * Format: double
             * @description Seconds
             */
            mean: number;
            /**
             * Format: double
             * @description Seconds; half of the calls took no longer
             */
            p50: number;
            /**
             * Format: double
             * @description Seconds; 19 of 20 calls took no longer
             */
            p95: number;
        };
        Launched: {
            /** Format: date-time */
            completed_at?: string;
            /** Format: date-time */
            created_at: string;
            error?: components["schemas"]["Error"];
            execution_id: string;
            fork_of?: string;
            parameters: unknown;
            parent?: components["schemas"]["Parent"];
            progress: components["schemas"]["Progress"];
            retry_of?: string;
            /** Format: date-time */
            started_at: string;
            status: string;
            status_reason?: string;
            /** Format: double */
            total_time: number;
            trigger: string;
            undo_of?: string;
            undone_by?: string;
            /** @description Where its events are */
            websocket_url: string;
            workflow_id: string;
            workflow_name: string;
            /** Format: int64 */
            workflow_revision: number;
            workflow_version?: string;
            workspace?: string;
        };
        "List-secrets": {
            /** @description Always empty: all are on one page */
            next: string;
            secrets: components["schemas"]["ShownSecret"][];
        };
        "List-triggers": {
            /** @description Always empty: the list comes whole */
            next: string;
            triggers: components["schemas"]["ShownTrigger"][];
        };
        ListedExecution: {
            /** Format: date-time */
            completed_at?: string;
            /** Format: date-time */
            created_at: string;
            error?: components["schemas"]["Error"];
            execution_id: string;
            fork_of?: string;
            parent?: components["schemas"]["Parent"];
            progress: components["schemas"]["Progress"];
            retry_of?: string;
            /** Format: date-time */
            started_at: string;
            status: string;
            status_reason?: string;
            /** Format: double */
            total_time: number;
            trigger: string;
            undo_of?: string;
            undone_by?: string;
            workflow_id: string;
            workflow_name: string;
            /** Format: int64 */
            workflow_revision: number;
            workflow_version?: string;
            workspace?: string;
        };
        ListedExecutionParametersStruct: Record<string, never>;
        ListedVersion: {
            author?: string;
            /**
             * Format: int64
             * @description How many steps were added, removed or changed since the revision before; only with changes=true, and not of the first
             */
            changed_steps?: number;
            /** Format: date-time */
            created_at: string;
            format: string;
            message?: string;
            name: string;
            /** Format: int64 */
            revision: number;
            /** Format: int64 */
            size: number;
            /** Format: int64 */
            step_count: number;
            valid: boolean;
            version: string;
            workflow_id: string;
        };
        LogLine: {
            fields?: unknown;
            /** Format: int64 */
            item_index?: number;
            level: string;
            message: string;
            /** Format: int64 */
            seq: number;
            step_id: string;
            /** Format: date-time */
            timestamp: string;
        };
        LogList: {
            /** @description Attempts whose log reached its size limit */
            capped?: components["schemas"]["CappedLog"][] | null;
            logs: components["schemas"]["LogLine"][];
            /** @description The next page's after_seq; empty on the last one */
            next: string;
        };
        LoginInputBody: {
            password?: string;
            /** @description The admin token, in the place of both */
            token?: string;
            /** @description The account's name */
            user?: string;
        };
        MadeToken: {
            /** Format: date-time */
            created_at: string;
            /**
             * Format: date-time
             * @description Missing for one that does not expire
             */
            expires_at?: string;
            id: string;
            /**
             * Format: date-time
             * @description To the minute; missing for one that was never used
             */
            last_used?: string;
            name: string;
            owner: string;
            /** @enum {string} */
            role: "viewer" | "executor" | "editor" | "admin";
            /** @description The token itself; it is not shown again */
            token: string;
        };
        NewToken: {
            /**
             * Format: double
             * @description Seconds until it expires; 0 is never
             */
            expires_in?: number;
            /** @description What it is for */
            name: string;
            /** @enum {string} */
            role: "viewer" | "executor" | "editor" | "admin";
            /** @description The account that it acts for, one's own by default; for administrators */
            user?: string;
        };
        NewUser: {
            /** @description Lower-case letters, digits and . _ @ - */
            name: string;
            /** @description At least 10 characters; without one the account can only have tokens, or sign in elsewhere */
            password?: string;
            /** @enum {string} */
            role: "viewer" | "executor" | "editor" | "admin";
            teams?: string[] | null;
        };
        Origin: {
            edited_by?: string;
            fork_of?: string;
            keep?: components["schemas"]["Kept"][] | null;
            only?: string;
            parent?: components["schemas"]["Parent"];
            retry_of?: string;
            undo_of?: string;
        };
        Parent: {
            /** Format: int64 */
            depth: number;
            execution_id: string;
            /** Format: int64 */
            item_index?: number;
            step_id: string;
        };
        PasswordChange: {
            /** @description The password until now */
            current: string;
            /** @description At least 10 characters */
            password: string;
        };
        PlannedEffect: {
            action: string;
            diff?: string;
            known: boolean;
            summary?: string;
            target: string;
        };
        PluginChange: {
            /** @description Lower-case word a program can act on */
            code: string;
            handler?: string;
            /** @description A sentence */
            message: string;
            step_id?: string;
            workflow_id: string;
            workflow_name: string;
        };
        PluginFence: {
            /** @description Each process has a control group: all that it starts is counted and ended with it */
            control_groups: boolean;
            /** @description Why not, or what is missing there, as a sentence */
            control_groups_reason?: string;
            /** @description Plugins can't read the files of the data folder */
            data_hidden: boolean;
            /** @description Why not, as a sentence */
            data_hidden_reason?: string;
            /** @description Plugins may write only in workspaces, their own folder and the temporary folder (Landlock) */
            files: boolean;
            /** @description Why not, as a sentence */
            files_reason?: string;
            /** @description The control groups limit memory */
            memory_limit: boolean;
            /** @description Only plugins that are listed in plugins.lock run */
            pinned: boolean;
            /** @description The control groups limit the number of processes */
            process_limit: boolean;
        };
        PluginList: {
            /** @description How plugins are kept in on this machine */
            fence: components["schemas"]["PluginFence"];
            next: string;
            plugins: components["schemas"]["PluginStatus"][];
        };
        PluginStatus: {
            author?: string;
            /** @description Revision of the source that it was built from */
            build?: string;
            /**
             * Format: int64
             * @description Calls so far
             */
            calls: number;
            /** @description SHA-256 of the binary, or of the folder's files, in hex */
            checksum?: string;
            /**
             * Format: double
             * @description Processor time of all its processes so far
             */
            cpu_seconds: number;
            description?: string;
            /** Format: date-time */
            disabled_at?: string;
            disabled_by?: string;
            /**
             * Format: int64
             * @description Calls that still run on an earlier version
             */
            draining: number;
            /**
             * Format: int64
             * @description Calls that failed, or whose outcome is unknown
             */
            failures: number;
            handlers: string[];
            /** @description A version that lies there and is not used, while an earlier one is */
            held?: components["schemas"]["HeldVersion"];
            /** @description Why the last start failed, or the last process ended */
            last_error?: string;
            /** @description The last lines that a process which crashed wrote to its standard error */
            last_words?: string[] | null;
            /** @description Of the last 128 calls */
            latency: components["schemas"]["Latency"];
            /**
             * Format: int64
             * @description Resident memory of its running processes
             */
            memory_bytes?: number;
            name: string;
            /**
             * Format: date-time
             * @description When a plugin whose processes crashed may start again
             */
            next_start?: string;
            /** @description The file's name with the folder it is in */
            path: string;
            /** Format: int64 */
            pid?: number;
            /**
             * Format: int64
             * @description Starts after the first
             */
            restarts: number;
            /**
             * Format: int64
             * @description Calls now
             */
            running: number;
            /**
             * Format: date-time
             * @description Of the running process, or the last one
             */
            started_at?: string;
            /**
             * @description stopped: no process runs, one is started by the next call. failed: the last start failed. quarantined: it crashed too often and rests until next_start; steps wait. disabled: steps wait until somebody enables it. unkillable: a process of it can't be ended. refused: its file is not used, state_reason says why
             * @enum {string}
             */
            state: "stopped" | "starting" | "running" | "stopping" | "failed" | "quarantined" | "disabled" | "unkillable" | "refused";
            /** @description A sentence, for quarantined, disabled and refused */
            state_reason?: string;
            version: string;
            /**
             * Format: int64
             * @description Calls that wait for a process
             */
            waiting: number;
            workflow_types?: string[] | null;
        };
        PluginUsage: {
            /** @description Each of the plugin's handlers, with the workflows that have steps of it */
            handlers: components["schemas"]["HandlerUsage"][];
            /** @description Always empty: the list comes whole */
            next: string;
            plugin: string;
            /** @description Each of the plugin's workflow types, with the workflows of it */
            workflow_types: components["schemas"]["TypeUsage"][];
        };
        Preview: {
            /** @description In the order in which they would run */
            steps: components["schemas"]["StepPreview"][];
            /** @description What can't be said before, and what would fail */
            warnings: components["schemas"]["Item"][];
        };
        Private: {
            alone?: boolean;
            /** Format: int64 */
            boot_epoch?: number;
            by_choice?: boolean;
            checkpoint?: unknown;
            checksum?: string;
            effect?: components["schemas"]["EffectRecord"];
            effect_class?: string;
            idempotency_key?: string;
            items?: unknown[] | null;
            lost?: string;
            not_run?: boolean;
            origin?: components["schemas"]["Origin"];
            payload?: unknown;
            /** Format: date-time */
            retry_at?: string;
            sealed?: string;
            signal?: string;
            skip_steps?: string[] | null;
            timed_out?: boolean;
            undo_token?: unknown;
            usage?: components["schemas"]["Usage"];
            verdict?: string;
            wait?: components["schemas"]["Wait"];
        };
        Problem: {
            /**
             * Format: int64
             * @description Of REVISION_MISMATCH: the workflow's revision now
             */
            current_revision?: number;
            /** @description What went wrong, in a sentence */
            detail: string;
            /** @description Stable word a program can act on */
            error_code: string;
            /** @description All that must be put right */
            errors?: components["schemas"]["Item"][] | null;
            /** @description The path that was asked for */
            instance?: string;
            /** @description Under which the server's log has the request */
            request_id?: string;
            /**
             * Format: int64
             * @description HTTP status code
             */
            status: number;
            /** @description The status in words */
            title: string;
            /** @description Always about:blank; error_code tells problems apart */
            type: string;
        };
        Progress: {
            /** Format: int64 */
            completed_steps: number;
            /** Format: int64 */
            failed_steps: number;
            /** Format: double */
            percentage: number;
            /** Format: int64 */
            skipped_steps: number;
            /** Format: int64 */
            total_steps: number;
        };
        ReloadRequest: {
            /** @description Take up also what is held back */
            force?: boolean;
        };
        Resolution: {
            /** @enum {string} */
            as: "retry" | "success" | "failed" | "skipped";
            /**
             * Format: int64
             * @description The item of a for_each; without it, all that are interrupted
             */
            item?: number;
            /** @description The step's output, where it is taken as a success */
            output?: unknown;
        };
        Result: {
            /** Format: date-time */
            completed_at?: string;
            /** Format: date-time */
            created_at: string;
            error?: components["schemas"]["Error"];
            execution_id: string;
            fork_of?: string;
            parameters: unknown;
            parent?: components["schemas"]["Parent"];
            progress: components["schemas"]["Progress"];
            retry_of?: string;
            /** Format: date-time */
            started_at: string;
            status: string;
            status_reason?: string;
            step_results: {
                [key: string]: components["schemas"]["StepResult"];
            };
            /** Format: double */
            total_time: number;
            trigger: string;
            undo_of?: string;
            undone_by?: string;
            workflow_id: string;
            workflow_name: string;
            /** Format: int64 */
            workflow_revision: number;
            workflow_version?: string;
            workspace?: string;
        };
        RetryOptions: {
            /** @description Made again with all that comes after it; without it, what failed or was never run */
            from_step?: string;
            /** @description Take the workflow as it is now */
            newest?: boolean;
            /** @description An object; those that it names replace the earlier ones */
            parameters?: unknown;
            /**
             * Format: int64
             * @description Take this revision of the workflow
             */
            revision?: number;
        };
        SecretUsageOutputBody: {
            /** @description Always empty: the list comes whole */
            next: string;
            /** @description Without a step where something else in the workflow refers to it */
            workflows: components["schemas"]["UsageWorkflow"][];
        };
        SessionList: {
            /** @description Always empty: the list comes whole */
            next: string;
            sessions: components["schemas"]["ShownSession"][];
        };
        SetSecretInputBody: {
            /** @description The secret, 1 to 65,536 bytes of text */
            value: string;
        };
        ShownSecret: {
            name: string;
            /** Format: date-time */
            updated_at: string;
        };
        ShownSession: {
            address: string;
            /** Format: date-time */
            created_at: string;
            /** @description The one that asks */
            current: boolean;
            /** Format: date-time */
            expires_at: string;
            id: string;
            user: string;
            user_agent: string;
        };
        ShownTrigger: {
            catch_up?: string;
            cron?: string;
            /**
             * Format: double
             * @description In seconds
             */
            debounce?: number;
            /** @description The workflow's newest revision is a draft with problems, so that its triggers rest */
            draft?: boolean;
            enabled: boolean;
            /** @description The newest first */
            firings: components["schemas"]["Firing"][];
            glob?: string;
            /** @description Of a webhook: where to send POST requests; only for those who may edit */
            hook_path?: string;
            /** @description The workflow's id, a dot, and trigger_id */
            id: string;
            last_firing?: components["schemas"]["Firing"];
            /**
             * Format: date-time
             * @description Of a schedule that is not paused: when it fires next
             */
            next_due?: string;
            paused: boolean;
            /** Format: date-time */
            paused_at?: string;
            paused_by?: string;
            /** @description Why it can't fire as things stand, and what to do */
            problem?: string;
            /** @description Of a webhook: calls need a signature */
            signed?: boolean;
            statuses?: string[] | null;
            timezone?: string;
            trigger_id: string;
            /** @enum {string} */
            type: "schedule" | "webhook" | "workflow" | "file";
            /** @description The workflow that is watched */
            workflow?: string;
            workflow_id: string;
            workflow_name: string;
        };
        ShownUser: {
            /** Format: date-time */
            created_at: string;
            disabled: boolean;
            /** @description false for one who signs in elsewhere */
            has_password: boolean;
            /** @description Who vouches for one who signs in elsewhere */
            issuer?: string;
            name: string;
            /** @enum {string} */
            role: "viewer" | "executor" | "editor" | "admin";
            teams: string[];
            /** Format: date-time */
            updated_at: string;
        };
        SlotHolder: {
            execution_id: string;
            /** Format: date-time */
            since: string;
            workflow_name: string;
        };
        SlotView: {
            holders: components["schemas"]["SlotHolder"][] | null;
            key: string;
            /** Format: int64 */
            limit: number;
            /** Format: int64 */
            place: number;
        };
        Started: {
            execution_id: string;
            /** Format: date-time */
            started_at: string;
            status: string;
            /** @description Where its events are */
            websocket_url: string;
            workflow_id: string;
        };
        StepExplanation: {
            reasons: string[] | null;
            /** Format: date-time */
            since?: string;
            status: string;
            step_id: string;
            waits_for?: string[] | null;
        };
        StepInput: {
            /** @description References to the host's configuration, which stay as they are written */
            as_written: string[];
            /** @description Missing where it has more than 256 KiB; ask for it with whole=true */
            config?: unknown;
            /** @description The beginning of a config that is missing */
            preview?: string;
            /** @description Why they have not */
            reason?: string;
            /** @description Whether the references have their values */
            resolved: boolean;
            /**
             * Format: int64
             * @description Bytes of the config
             */
            size: number;
        };
        StepPreview: {
            effects: components["schemas"]["PlannedEffect"][] | null;
            handler: string;
            reason?: string;
            status: string;
            step_id: string;
            step_name: string;
        };
        StepResult: {
            attempt_list?: components["schemas"]["Attempt"][] | null;
            /** Format: int64 */
            attempts: number;
            child_execution_id?: string;
            /** Format: date-time */
            completed_at?: string;
            error?: components["schemas"]["Error"];
            /** Format: double */
            execution_time: number;
            handler: string;
            /** Format: int64 */
            item_count?: number;
            items?: components["schemas"]["ItemResult"][] | null;
            kept_from?: string;
            /** Format: int64 */
            log_count: number;
            output?: unknown;
            skip_reason?: string;
            /** Format: date-time */
            started_at?: string;
            status: string;
            step_id: string;
            step_name: string;
            undo?: components["schemas"]["Undo"];
            waiting?: components["schemas"]["Waiting"];
        };
        StepRun: {
            /** @description An object, in the place of the step's config */
            config?: unknown;
            /** @description By the ids of other steps, what they are taken to have given */
            outputs?: {
                [key: string]: unknown;
            };
            /** @description An object */
            parameters?: unknown;
            workspace?: string;
        };
        Steps: {
            added: string[];
            changed: string[];
            removed: string[];
        };
        TemplateSummary: {
            description: string;
            name: string;
        };
        TokenList: {
            /** @description Always empty: the list comes whole */
            next: string;
            tokens: components["schemas"]["APIToken"][];
        };
        TypeList: {
            next: string;
            types: components["schemas"]["TypeSummary"][];
        };
        TypeSummary: {
            config_schema: unknown;
            default_step_types: string[];
            description: string;
            display_name?: string;
            icon: string;
            name: string;
            plugin: string;
            templates: components["schemas"]["TemplateSummary"][];
            version: string;
        };
        TypeUsage: {
            name: string;
            workflows: components["schemas"]["UsageWorkflow"][];
        };
        Undo: {
            /** Format: date-time */
            at: string;
            error?: components["schemas"]["Error"];
            skip_reason?: string;
            status: string;
            undone_by?: string;
        };
        UndoOutlook: {
            /** Format: int64 */
            items?: number;
            reason?: string;
            step_id: string;
            undone: boolean;
        };
        UndoPlan: {
            /** @description In the order of the definition */
            steps: components["schemas"]["UndoOutlook"][];
        };
        Usage: {
            /** Format: int64 */
            cpu: number;
            /** Format: int64 */
            memory: number;
            shared?: boolean;
        };
        UsageStep: {
            step_id: string;
            step_name: string;
        };
        UsageWorkflow: {
            /** Format: int64 */
            revision: number;
            steps: components["schemas"]["UsageStep"][];
            workflow_id: string;
            workflow_name: string;
        };
        UserChange: {
            disabled?: boolean;
            password?: string;
            /** @enum {string} */
            role?: "viewer" | "executor" | "editor" | "admin";
            teams?: string[];
        };
        UserList: {
            /** @description Always empty: the list comes whole */
            next: string;
            users: components["schemas"]["ShownUser"][];
        };
        Validation: {
            errors: components["schemas"]["Item"][];
            /** @description Levels of step ids; empty where there are errors */
            execution_order: (string[] | null)[];
            valid: boolean;
            warnings: components["schemas"]["Item"][];
        };
        Version: {
            author?: string;
            /** Format: date-time */
            created_at: string;
            /** @description The workflow document */
            definition: unknown;
            format: string;
            message?: string;
            name: string;
            problems?: unknown;
            /** Format: int64 */
            revision: number;
            /** Format: int64 */
            size: number;
            /** Format: int64 */
            step_count: number;
            /** @description The document as it was sent */
            text: string;
            valid: boolean;
            version: string;
            workflow_id: string;
        };
        VersionDiff: {
            /** Format: int64 */
            a: number;
            /** Format: int64 */
            b: number;
            changes: components["schemas"]["Change"][];
            steps: components["schemas"]["Steps"];
            /** @description A unified diff of the YAML texts; empty where they are the same */
            text: string;
        };
        VersionList: {
            /** @description The next page's cursor; empty on the last one */
            next: string;
            versions: components["schemas"]["ListedVersion"][];
        };
        Wait: {
            approvers?: string[] | null;
            bound?: boolean;
            child?: string;
            form?: unknown;
            message?: string;
            on_timeout?: string;
            parameters?: unknown;
            plan?: unknown;
            plugin?: string;
            reason: string;
            signal?: string;
            /** Format: date-time */
            until?: string;
            workflow?: string;
        };
        Waiting: {
            approvers?: string[] | null;
            child_execution_id?: string;
            form?: unknown;
            message?: string;
            plan?: unknown;
            plugin?: string;
            reason: string;
            signal?: string;
            /** Format: date-time */
            since: string;
            /** Format: date-time */
            until?: string;
        };
        Workflow: {
            /** Format: date-time */
            created_at: string;
            description: string;
            /** Format: int64 */
            execution_count: number;
            id: string;
            /** Format: date-time */
            last_executed: string | null;
            last_status: string | null;
            name: string;
            owner: string;
            problems?: unknown;
            /** Format: int64 */
            revision: number;
            /** Format: int64 */
            step_count: number;
            tags: string[] | null;
            team: string;
            type: string;
            /** Format: date-time */
            updated_at: string;
            valid: boolean;
            version: string;
            /** @enum {string} */
            visibility: "private" | "team" | "all";
        };
        WorkflowFigures: {
            /**
             * Format: double
             * @description Seconds
             */
            average_time: number;
            /** Format: int64 */
            cancelled: number;
            /** Format: int64 */
            failed: number;
            /** Format: date-time */
            last_executed: string;
            last_status: string;
            /** Format: int64 */
            live: number;
            /**
             * Format: double
             * @description Seconds
             */
            longest_time: number;
            /**
             * Format: double
             * @description Seconds
             */
            median_time: number;
            /**
             * Format: double
             * @description Seconds that 95 of 100 did not exceed
             */
            p95_time: number;
            /** Format: int64 */
            partial: number;
            /** Format: int64 */
            success: number;
            /** Format: int64 */
            total: number;
            workflow_id: string;
            /** @description As the newest execution has it */
            workflow_name: string;
        };
        WorkspaceList: {
            next: string;
            workspaces: components["schemas"]["WorkspaceSummary"][];
        };
        WorkspaceSummary: {
            default: boolean;
            /** @description The last part of its path */
            folder: string;
            git?: components["schemas"]["GitSummary"];
            name: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    "get-about": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["About"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "back-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["BackUpInputBody"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backup"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "check-data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DataReport"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-audit": {
        parameters: {
            query?: {
                /** @description Only of this account */
                who?: string;
                /** @description Only this action, such as workflow.update */
                action?: string;
                /** @description Only objects that begin so, such as workflows/ID */
                object?: string;
                /** @description Only with this result */
                result?: "done" | "refused" | "failed";
                /** @description At this time or later */
                since?: string;
                /** @description Before this time */
                until?: string;
                /** @description What the page before gave as next */
                cursor?: string;
                limit?: number;
                format?: "json" | "jsonl";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The records */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditList"];
                    "application/jsonl": string;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "log-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginInputBody"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "log-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "change-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-sessions": {
        parameters: {
            query?: {
                /** @description Those of this account, or of all (*); for administrators */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "end-session": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-sign-in-link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Create-sign-in-link"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-ticket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Create-ticket"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-tokens": {
        parameters: {
            query?: {
                /** @description Those of this account, or of all (*); for administrators */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenList"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewToken"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeToken"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "revoke-token": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-executions": {
        parameters: {
            query?: {
                workflow_id?: string;
                /** @description Any of these, with commas between */
                status?: string[] | null;
                trigger?: string;
                /** @description Created at this time or later */
                since?: string;
                /** @description Created before this time */
                until?: string;
                limit?: number;
                /** @description What the page before gave as next */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionList"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-execution": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Result"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-execution": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-artifacts": {
        parameters: {
            query?: {
                /** @description Only those that were told of later */
                after_seq?: number;
                /** @description 1 to 1000; 100 */
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactList"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-artifact": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                sha256: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The content */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "cancel-execution": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Result"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "compare-executions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                other: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Comparison"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-events": {
        parameters: {
            query?: {
                /** @description Only events with a higher number */
                after_seq?: number;
                limit?: number;
            };
            header?: {
                /** @description As after_seq, for an event stream */
                "Last-Event-ID"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventList"];
                    "text/event-stream": string;
                };
            };
            /** @description The execution has ended, and there is no event after that one */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "explain-execution": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Explanation"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "fork-execution": {
        parameters: {
            query?: {
                /** @description Only say what would be kept and made again; 200 */
                dry_run?: boolean;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ForkOptions"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ForkPlan"];
                };
            };
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Forked"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-logs": {
        parameters: {
            query?: {
                step_id?: string;
                /** @description The least that is shown */
                level?: "debug" | "info" | "warning" | "error";
                /** @description Only lines with a higher number */
                after_seq?: number;
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lines */
            200: {
                headers: {
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogList"];
                    "text/plain": string;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "pause-execution": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Result"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "resume-execution": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Result"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "retry-execution": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RetryOptions"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Launched"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "send-signal": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Result"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "approve-step": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                step: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Approval"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Result"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-step-input": {
        parameters: {
            query?: {
                /** @description The index of an item of a for_each */
                item?: number;
                /** @description Send the config alone, however large it is */
                whole?: boolean;
            };
            header?: never;
            path: {
                id: string;
                step: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StepInput"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-step-output": {
        parameters: {
            query?: {
                /** @description The index of an item of a for_each; without it, the output of the step */
                item?: number;
            };
            header?: never;
            path: {
                id: string;
                step: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "resolve-step": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                step: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Resolution"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Result"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "undo-execution": {
        parameters: {
            query?: {
                /** @description Only say what would be taken back; 200 */
                dry_run?: boolean;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UndoPlan"];
                };
            };
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Launched"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-execution-workflow": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "call-hook": {
        parameters: {
            query?: never;
            header?: {
                /** @description Gives back the execution that was started with it within 24 hours */
                "Idempotency-Key"?: string;
            };
            path: {
                token: string;
            };
            cookie?: never;
        };
        /** @description What ${trigger.body} stands for: JSON, a form, or text */
        requestBody?: {
            content: {
                "application/json": unknown;
                "application/x-www-form-urlencoded": {
                    [key: string]: unknown;
                };
                "text/plain": string;
            };
        };
        responses: {
            /** @description Started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-plugins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PluginList"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "disable-plugin": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PluginStatus"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "enable-plugin": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PluginStatus"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "reload-plugin": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ReloadRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PluginStatus"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-plugin-usage": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PluginUsage"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List-secrets"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "set-secret": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetSecretInputBody"];
            };
        };
        responses: {
            /** @description The secret is new */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-secret": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-secret-usage": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecretUsageOutputBody"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-stats": {
        parameters: {
            query?: {
                /** @description How many days, today included, from 1 to 365; 30 */
                days?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Counts"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-step-handlers": {
        parameters: {
            query?: {
                category?: string;
                /** @description Only those that this type names, and those that no type names */
                workflow_type?: string;
                /** @description Looked for in path, name, description and tags, without regard to case */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HandlerList"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-step-handler": {
        parameters: {
            query?: never;
            header?: {
                "If-None-Match"?: string;
            };
            path: {
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The handler */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HandlerDetail"];
                };
            };
            /** @description It is as the ETag says */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-triggers": {
        parameters: {
            query?: {
                /** @description Only those of this workflow */
                workflow_id?: string;
                /** @description schedule, webhook, workflow or file */
                type?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List-triggers"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "fire-trigger": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["FireRequest"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "pause-trigger": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownTrigger"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "resume-trigger": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownTrigger"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserList"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-user": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUser"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownUser"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-user": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownUser"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "update-user": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownUser"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-user": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-workflow-types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TypeList"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-template": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
                template: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        config?: {
                            [key: string]: unknown;
                        };
                        description?: string;
                        name?: string;
                        parameters?: {
                            [key: string]: unknown;
                        }[];
                        steps?: {
                            [key: string]: unknown;
                        }[];
                        tags?: string[];
                        /** @description A workflow type */
                        type?: string;
                        /** @description MAJOR.MINOR.PATCH */
                        version?: string;
                    } & {
                        [key: string]: unknown;
                    };
                    "application/yaml": string;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-workflows": {
        parameters: {
            query?: {
                /** @description Only this workflow type */
                type?: string;
                /** @description Only with this tag */
                tag?: string;
                /** @description Looked for in name and description, without regard to case */
                q?: string;
                /** @description name, type, created_at, updated_at, last_executed or execution_count; - before it turns the order round */
                sort?: string;
                limit?: number;
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    Link?: string;
                    "X-Total-Count"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"][] | null;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "create-workflow": {
        parameters: {
            query?: {
                /** @description Keep the document in spite of problems; it can't be executed until they are put right */
                draft?: boolean;
                /** @description What the revision is about */
                message?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description A workflow document, as JSON (at most 2 MiB) or YAML (at most 256 KiB) */
        requestBody: {
            content: {
                "application/json": {
                    config?: {
                        [key: string]: unknown;
                    };
                    description?: string;
                    name?: string;
                    parameters?: {
                        [key: string]: unknown;
                    }[];
                    steps?: {
                        [key: string]: unknown;
                    }[];
                    tags?: string[];
                    /** @description A workflow type */
                    type?: string;
                    /** @description MAJOR.MINOR.PATCH */
                    version?: string;
                } & {
                    [key: string]: unknown;
                };
                "application/yaml": string;
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    ETag?: string;
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "import-workflow": {
        parameters: {
            query?: {
                /** @description The workflow's id; one is made without */
                id?: string;
                /** @description Save a new revision where the workflow is there already: the one of the id, or without an id the one of the same name */
                overwrite?: boolean;
                /** @description Only say what would be done */
                dry_run?: boolean;
                /** @description Keep the document in spite of problems, even one of which nothing can be read */
                draft?: boolean;
                /** @description The name of a draft of which nothing can be read */
                name?: string;
                /** @description What the revision is about */
                message?: string;
                /** @description When the revision was saved elsewhere, of one that is brought in with its history; it is kept as far as it lies between the revision before and now */
                saved_at?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description A workflow document, as JSON (at most 2 MiB) or YAML (at most 256 KiB) */
        requestBody: {
            content: {
                "application/json": {
                    config?: {
                        [key: string]: unknown;
                    };
                    description?: string;
                    name?: string;
                    parameters?: {
                        [key: string]: unknown;
                    }[];
                    steps?: {
                        [key: string]: unknown;
                    }[];
                    tags?: string[];
                    /** @description A workflow type */
                    type?: string;
                    /** @description MAJOR.MINOR.PATCH */
                    version?: string;
                } & {
                    [key: string]: unknown;
                };
                "application/yaml": string;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Imported"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "validate-workflow": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description A workflow document, as JSON (at most 2 MiB) or YAML (at most 256 KiB) */
        requestBody: {
            content: {
                "application/json": {
                    config?: {
                        [key: string]: unknown;
                    };
                    description?: string;
                    name?: string;
                    parameters?: {
                        [key: string]: unknown;
                    }[];
                    steps?: {
                        [key: string]: unknown;
                    }[];
                    tags?: string[];
                    /** @description A workflow type */
                    type?: string;
                    /** @description MAJOR.MINOR.PATCH */
                    version?: string;
                } & {
                    [key: string]: unknown;
                };
                "application/yaml": string;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Validation"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-workflow": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workflow */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        config?: {
                            [key: string]: unknown;
                        };
                        /** Format: date-time */
                        created_at?: string;
                        description?: string;
                        execution_count?: number;
                        id?: string;
                        /** Format: date-time */
                        last_executed?: string | null;
                        last_status?: string | null;
                        name?: string;
                        owner?: string;
                        parameters?: {
                            [key: string]: unknown;
                        }[];
                        revision?: number;
                        step_count?: number;
                        steps?: {
                            [key: string]: unknown;
                        }[];
                        tags?: string[];
                        team?: string;
                        /** @description The YAML text was written anew; comments are gone */
                        text_rewritten?: boolean;
                        /** @description A workflow type */
                        type?: string;
                        /** Format: date-time */
                        updated_at?: string;
                        valid?: boolean;
                        /** @description MAJOR.MINOR.PATCH */
                        version?: string;
                        /** @enum {string} */
                        visibility?: "private" | "team" | "all";
                    } & {
                        [key: string]: unknown;
                    };
                    "application/yaml": string;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "update-workflow": {
        parameters: {
            query?: {
                /** @description Keep the document in spite of problems */
                draft?: boolean;
                /** @description What the revision is about */
                message?: string;
            };
            header?: {
                /** @description The ETag that the change was made on */
                "If-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        /** @description A workflow document, as JSON (at most 2 MiB) or YAML (at most 256 KiB) */
        requestBody: {
            content: {
                "application/json": {
                    config?: {
                        [key: string]: unknown;
                    };
                    description?: string;
                    name?: string;
                    parameters?: {
                        [key: string]: unknown;
                    }[];
                    steps?: {
                        [key: string]: unknown;
                    }[];
                    tags?: string[];
                    /** @description A workflow type */
                    type?: string;
                    /** @description MAJOR.MINOR.PATCH */
                    version?: string;
                } & {
                    [key: string]: unknown;
                };
                "application/yaml": string;
            };
        };
        responses: {
            /** @description The workflow */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        config?: {
                            [key: string]: unknown;
                        };
                        /** Format: date-time */
                        created_at?: string;
                        description?: string;
                        execution_count?: number;
                        id?: string;
                        /** Format: date-time */
                        last_executed?: string | null;
                        last_status?: string | null;
                        name?: string;
                        owner?: string;
                        parameters?: {
                            [key: string]: unknown;
                        }[];
                        revision?: number;
                        step_count?: number;
                        steps?: {
                            [key: string]: unknown;
                        }[];
                        tags?: string[];
                        team?: string;
                        /** @description The YAML text was written anew; comments are gone */
                        text_rewritten?: boolean;
                        /** @description A workflow type */
                        type?: string;
                        /** Format: date-time */
                        updated_at?: string;
                        valid?: boolean;
                        /** @description MAJOR.MINOR.PATCH */
                        version?: string;
                        /** @enum {string} */
                        visibility?: "private" | "team" | "all";
                    } & {
                        [key: string]: unknown;
                    };
                    "application/yaml": string;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "delete-workflow": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "set-workflow-access": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccessChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "execute-workflow": {
        parameters: {
            query?: {
                /** @description false waits for the end */
                async?: "true" | "false";
            };
            header?: {
                /** @description Gives back the execution that was started with it within 24 hours */
                "Idempotency-Key"?: string;
                /** @description What the execution shows as its trigger */
                "X-Vwmp-Trigger"?: "manual" | "api" | "cli";
                /** @description wait=N waits at most N seconds for the end */
                Prefer?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description false waits for the end */
                    async?: boolean;
                    /** @description true only says what it would do */
                    dry_run?: boolean;
                    idempotency_key?: string;
                    parameters?: {
                        [key: string]: unknown;
                    };
                    skip_steps?: string[];
                    workspace?: string;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description Ended; or with dry_run, what it would do */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Result"] | components["schemas"]["Preview"];
                };
            };
            /** @description Started */
            202: {
                headers: {
                    Location?: string;
                    "Preference-Applied"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "export-workflow": {
        parameters: {
            query?: {
                format?: "yaml" | "json";
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document */
            200: {
                headers: {
                    "Content-Disposition"?: string;
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string;
                    "application/yaml": string;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "plan-workflow": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description false waits for the end */
                    async?: boolean;
                    /** @description true only says what it would do */
                    dry_run?: boolean;
                    idempotency_key?: string;
                    parameters?: {
                        [key: string]: unknown;
                    };
                    skip_steps?: string[];
                    workspace?: string;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "run-step": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                step: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["StepRun"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-versions": {
        parameters: {
            query?: {
                limit?: number;
                /** @description What the page before gave as next */
                cursor?: string;
                /** @description Also count the changed steps; a page then has at most 50 revisions */
                changes?: boolean;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionList"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "compare-versions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                a: string;
                b: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionDiff"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-version": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                revision: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The revision */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Version"];
                    "application/yaml": string;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "restore-version": {
        parameters: {
            query?: {
                /** @description Restore it in spite of problems that it has by now; one that was a draft is restored as one anyway */
                draft?: boolean;
                /** @description What the revision is about; by default that it restores another */
                message?: string;
            };
            header?: {
                /** @description The ETag of the newest revision that the caller knows */
                "If-Match"?: string;
            };
            path: {
                id: string;
                revision: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workflow */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        config?: {
                            [key: string]: unknown;
                        };
                        /** Format: date-time */
                        created_at?: string;
                        description?: string;
                        execution_count?: number;
                        id?: string;
                        /** Format: date-time */
                        last_executed?: string | null;
                        last_status?: string | null;
                        name?: string;
                        owner?: string;
                        parameters?: {
                            [key: string]: unknown;
                        }[];
                        revision?: number;
                        step_count?: number;
                        steps?: {
                            [key: string]: unknown;
                        }[];
                        tags?: string[];
                        team?: string;
                        /** @description The YAML text was written anew; comments are gone */
                        text_rewritten?: boolean;
                        /** @description A workflow type */
                        type?: string;
                        /** Format: date-time */
                        updated_at?: string;
                        valid?: boolean;
                        /** @description MAJOR.MINOR.PATCH */
                        version?: string;
                        /** @enum {string} */
                        visibility?: "private" | "team" | "all";
                    } & {
                        [key: string]: unknown;
                    };
                    "application/yaml": string;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "list-workspaces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkspaceList"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Yes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The text format 0.0.4 */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "get-openapi": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1 */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Yes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "ws-events": {
        parameters: {
            query?: {
                /** @description A one-time ticket, for clients that can't send headers */
                ticket?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The protocol is WebSocket from here on */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "ws-follow-execution": {
        parameters: {
            query?: {
                /** @description A one-time ticket, for clients that can't send headers */
                ticket?: string;
                after_seq?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The protocol is WebSocket from here on */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    "ws-execute-workflow": {
        parameters: {
            query?: {
                /** @description A one-time ticket, for clients that can't send headers */
                ticket?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The protocol is WebSocket from here on */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
