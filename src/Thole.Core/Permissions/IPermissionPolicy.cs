using Thole.Core.Tools;
using Thole.Protocol;

namespace Thole.Core.Permissions;

/// <summary>May this call run? Judged after it was prepared, so that the judge sees what it touches.</summary>
public interface IPermissionPolicy
{
    Judgement Judge(ITool tool, Preparation call, ApprovalMode mode);
}

/// <summary><paramref name="Reason"/> is one sentence for whoever asks why; empty where the call is allowed.</summary>
public sealed record Judgement(Verdict Verdict, string Reason);

public enum Verdict
{
    Allow,
    Ask,
    Deny,
}
