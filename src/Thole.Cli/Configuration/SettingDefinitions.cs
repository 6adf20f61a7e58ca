using Thole.Providers.TextCalls;

namespace Thole.Cli.Configuration;

/// <summary>Everything that can be set, in the order in which <c>thole config show</c> prints it.</summary>
internal static class SettingDefinitions
{
    public static readonly IReadOnlyList<string> ApprovalModes = ["plan", "default", "auto-edit", "yolo"];

    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        new(
            "model",
            SettingType.Text,
            "The model that works: provider/model, or a name the default provider knows.",
            "--model",
            ["THOLE_MODEL"],
            "openai/gpt-5",
            ProjectMaySet: true
        ),
        new(
            "approvalMode",
            SettingType.Text,
            "How much may be done without a question. A project may only make it stricter.",
            "--approval-mode",
            ["THOLE_APPROVAL_MODE"],
            "default",
            ProjectMaySet: true,
            Choices: ApprovalModes
        ),
        new(
            "allowedTools",
            SettingType.TextList,
            "Tools that run without a question: name, or name(exact command).",
            "--allowed-tools"
        ),
        new(
            "maxTurns",
            SettingType.Number,
            "The most model requests for one prompt.",
            "--max-turns",
            ["THOLE_MAX_TURNS"],
            ProjectMaySet: true
        ),
        .. Budgets(),
        new(
            "includeDirectories",
            SettingType.TextList,
            "More directories that tools may read and change.",
            "--include-directories"
        ),
        new("systemPrompt", SettingType.Text, "Replaces the built-in system prompt.", "--system-prompt"),
        new("appendSystemPrompt", SettingType.Text, "Added after the system prompt.", "--append-system-prompt"),
        new(
            "context.compactAt",
            SettingType.Share,
            "The share of the context window at which older conversation is summarised.",
            Default: 0.85,
            ProjectMaySet: true
        ),
        new(
            "shell.passEnvironment",
            SettingType.TextList,
            "Environment variables that commands may see although they look like secrets."
        ),
        .. Roles(),
        new(
            "routes",
            SettingType.ObjectList,
            "Rules that say which model does what: roles, agent, paths, minTokens, and a model."
        ),
        new(
            "fallbacks",
            SettingType.TextList,
            "Models that are asked, in this order, where one is out of reach, overloaded or out of quota.",
            "--fallback-models"
        ),
        new(
            "localPaths",
            SettingType.TextList,
            "What may not leave this machine: a session that has touched any of it goes to local models only.",
            ProjectAdds: true
        ),
        new("localModel", SettingType.Text, "The model on this machine that works where localPaths rule another out."),
        new(
            "providers.*.protocol",
            SettingType.Text,
            "What a provider of your own speaks: openai, openai-responses, anthropic or gemini."
        ),
        new("providers.*.baseUrl", SettingType.Text, "Where it is served."),
        new("providers.*.apiKey", SettingType.Text, "Its key.", IsSecret: true),
        new("providers.*.apiKeyVariable", SettingType.Text, "The environment variable that holds its key."),
        .. OfModels("providers.*"),
        .. OfModels("providers.*.models.*"),
    ];

    private static IEnumerable<SettingDefinition> Budgets() =>
        [
            Tokens("run", "The most tokens for one prompt, with all that works for it."),
            Dollars("run", "The most US dollars for one prompt, with all that works for it.", "--max-budget-dollars"),
            Tokens("session", "The most tokens for one session."),
            Dollars("session", "The most US dollars for one session."),
            Tokens("day", "The most tokens for a day, of all your sessions together."),
            Dollars("day", "The most US dollars for a day, of all your sessions together."),
        ];

    private static SettingDefinition Tokens(string scope, string description) =>
        new($"budget.{scope}.tokens", SettingType.Number, description, ProjectLowers: true, Least: 0, Most: 1_000_000_000_000);

    private static SettingDefinition Dollars(string scope, string description, string? flag = null) =>
        new($"budget.{scope}.dollars", SettingType.Amount, description, flag, ProjectLowers: true);

    private static IEnumerable<SettingDefinition> Roles() =>
        [
            new("roles.fast", SettingType.Text, "The model for small things that must be quick."),
            new("roles.plan", SettingType.Text, "The model that works in plan mode."),
            new("roles.explore", SettingType.Text, "The model that reads and searches for others."),
            new("roles.review", SettingType.Text, "The model that judges what was done."),
            new("roles.vision", SettingType.Text, "The model that says what images show to one that takes none."),
            new("roles.compact", SettingType.Text, "The model that summarises an older part of the context."),
            new("roles.hook", SettingType.Text, "The model that decides in a hook's place."),
        ];

    /// <summary>What can be set for one model, or for all of a provider.</summary>
    private static IEnumerable<SettingDefinition> OfModels(string whose) =>
        [
            new($"{whose}.contextWindow", SettingType.Number, "Tokens the model takes, where we do not know it or it differs."),
            new($"{whose}.maxOutputTokens", SettingType.Number, "Tokens of one answer."),
            new(
                $"{whose}.modalities",
                SettingType.TextList,
                "What it takes besides text.",
                Choices: ["image", "pdf", "audio", "video"]
            ),
            new($"{whose}.sampling", SettingType.Object, "Fields such as temperature and top_p, sent as they are."),
            new(
                $"{whose}.reasoning.effort",
                SettingType.Text,
                "How much it thinks.",
                Choices: ["off", "low", "medium", "high", "xhigh", "max"]
            ),
            new($"{whose}.reasoning.budgetTokens", SettingType.Number, "The most tokens it thinks for."),
            new($"{whose}.extraBody", SettingType.Object, "Fields for the body of each request, over ours."),
            new($"{whose}.headers", SettingType.TextMap, "HTTP headers sent with each request.", IsSecret: true),
            new($"{whose}.cacheControl", SettingType.Flag, "Whether requests mark what may be cached."),
            new(
                $"{whose}.textCalls",
                SettingType.Text,
                "How it writes calls that its server passes on as text.",
                Choices: TextCallFormats.Words
            ),
            new($"{whose}.thinksInText", SettingType.Flag, "Whether its thoughts come as <think> at the beginning of its text."),
            new($"{whose}.idleTimeoutSeconds", SettingType.Number, "How long an answer may be silent; 240.", Most: 86_400),
            new($"{whose}.timeoutSeconds", SettingType.Number, "How long an answer may take; 900.", Most: 86_400),
            new($"{whose}.maxRetries", SettingType.Number, "How often a failed request is made again; 6.", Least: 0, Most: 100),
            new($"{whose}.proxy", SettingType.Text, "An HTTP proxy on the way to it.", IsSecret: true),
            new($"{whose}.price.input", SettingType.Amount, "US dollars for a million tokens of input."),
            new($"{whose}.price.output", SettingType.Amount, "US dollars for a million tokens of output."),
            new($"{whose}.price.cachedInput", SettingType.Amount, "US dollars for a million tokens of input from a cache."),
            new($"{whose}.price.cacheWrite", SettingType.Amount, "US dollars for a million tokens written to a cache."),
        ];

    public static SettingDefinition Find(string path) =>
        All.First(definition => string.Equals(definition.Path, path, StringComparison.Ordinal));
}
