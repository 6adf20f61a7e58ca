using Thole.Core.Budgets;

namespace Thole.Cli.Configuration;

/// <summary>
/// The settings beneath <c>budget</c>. The files are looked at before each request, so that a budget that was raised holds without a new
/// start; where they cannot be read any more, what held goes on.
/// </summary>
internal sealed class BudgetSection(Settings settings)
{
    private readonly Lock _lock = new();
    private (IReadOnlyList<Cap> Caps, DateTime User, DateTime Project) _known = (
        Read(settings),
        User(settings),
        Project(settings)
    );

    /// <summary>What holds now.</summary>
    public IReadOnlyList<Cap> Caps
    {
        get
        {
            var (user, project) = (User(settings), Project(settings));
            lock (_lock)
            {
                if ((user, project) != (_known.User, _known.Project))
                {
                    _known = (ReadAgain() ?? _known.Caps, user, project);
                }

                return _known.Caps;
            }
        }
    }

    public static IReadOnlyList<Cap> Read(Settings settings) =>
        [
            .. from scope in Enum.GetValues<BudgetScope>()
            from unit in Enum.GetValues<BudgetUnit>()
            let value = settings.Find($"budget.{scope.ToString().ToLowerInvariant()}.{unit.ToString().ToLowerInvariant()}")
            where value is not null
            select new Cap(
                scope,
                unit,
                Convert.ToDecimal(value.Value, System.Globalization.CultureInfo.InvariantCulture),
                value.Level is SettingLevel.Flag ? value.Origin : $"{value.Path} in {value.Origin}"
            ),
        ];

    private IReadOnlyList<Cap>? ReadAgain()
    {
        try
        {
            return Read(settings.LoadAgain());
        }
        catch (UsageException)
        {
            return null; // half written, or wrong: the next start says so
        }
    }

    private static DateTime User(Settings settings) => File.GetLastWriteTimeUtc(settings.Locations.UserSettings);

    private static DateTime Project(Settings settings) => File.GetLastWriteTimeUtc(Locations.ProjectSettings(settings.Workspace));
}
