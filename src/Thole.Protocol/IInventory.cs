namespace Thole.Protocol;

/// <summary>What a daemon has to work with in one workspace. Nothing that is secret is in an answer, and no value of a variable.</summary>
public interface IInventory
{
    /// <summary>Every tool there is, allowed or not.</summary>
    ValueTask<ToolInventory> ToolsAsync(CancellationToken cancellationToken);

    /// <summary>From its next step on every session of the workspace has the tool, or has it no more; remembered.</summary>
    /// <exception cref="RefusedException"><c>tool_not_registered</c>: there is none of exactly that name; <c>io_error</c>: it could not be remembered.</exception>
    ValueTask<ToolToggle> SetToolEnabledAsync(string tool, bool enabled, CancellationToken cancellationToken);

    ValueTask<ProviderInventory> ProvidersAsync(CancellationToken cancellationToken);

    /// <summary>Servers of the Model Context Protocol.</summary>
    ValueTask<McpInventory> McpAsync(CancellationToken cancellationToken);

    ValueTask<SkillInventory> SkillsAsync(CancellationToken cancellationToken);

    /// <summary>The files in which people wrote down something for agents.</summary>
    ValueTask<MemoryInventory> MemoryAsync(CancellationToken cancellationToken);

    ValueTask<EnvironmentInventory> EnvironmentAsync(CancellationToken cancellationToken);

    /// <summary>What would be in the way of work, and what can be done about it.</summary>
    ValueTask<PreflightInventory> PreflightAsync(CancellationToken cancellationToken);
}
