using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;

namespace Thole.Extensions.AI;

/// <summary>
/// Any <see cref="IChatClient"/> as a model of the runtime, for programs that embed it. The client is asked and heard; it must not
/// call tools itself (leave <c>UseFunctionInvocation</c> out of its pipeline): permission, log and order are the runtime's. Wrap it
/// in <see cref="RetryingModel"/> unless the client repeats failed requests itself.
/// </summary>
/// <param name="client">Is not disposed by this.</param>
/// <param name="maxOutput">Tokens of one answer; null leaves it to the client.</param>
public sealed class ChatClientModel(IChatClient client, int? maxOutput = null) : IModel
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<ModelEvent> StreamAsync(
        ModelRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        var messages = await ChatMessages.WriteAsync(request, cancellationToken);
        var answer = new ChatClientAnswer();
        await using var updates = client
            .GetStreamingResponseAsync(messages, Options(request), cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await updates.MoveNextAsync())
                {
                    break;
                }
            }
            catch (Exception failure)
                when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                throw ChatClientFailures.Of(failure);
            }

            foreach (var said in answer.Take(updates.Current))
            {
                yield return said;
            }
        }

        foreach (var said in answer.Finish())
        {
            yield return said;
        }
    }

    private ChatOptions Options(ModelRequest request) =>
        new()
        {
            ModelId = request.Model,
            MaxOutputTokens = maxOutput,
            Tools =
            [
                .. request.Tools.Select(static tool =>
                    AIFunctionFactory.CreateDeclaration(tool.Name, tool.Description, JsonText.Parse(tool.Schema))
                ),
            ],
        };
}
