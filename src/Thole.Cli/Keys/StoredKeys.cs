using Thole.Core.Models;
using Thole.Core.Workspaces;

namespace Thole.Cli.Keys;

/// <summary>
/// The keys that <c>thole auth</c> keeps: in the system's keyring where there is one that works, else in a file. The keyring is
/// asked once for a key, and only where the file says that it has it.
/// </summary>
/// <param name="findKeyring">Looks for the keyring of this system; null where there is none.</param>
internal sealed class StoredKeys(KeyFile file, Func<IKeyring?> findKeyring)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (StateStamp Stamp, string Key)> _found = new(StringComparer.Ordinal);

    public string FilePath => file.Path;

    /// <summary>By the provider's name, what is kept, without asking a keyring.</summary>
    /// <exception cref="WorkspaceException">The file cannot be read, or is not to be believed.</exception>
    public IReadOnlyDictionary<string, KeptKey> List() => file.Read();

    /// <summary>The key for a provider; null where none is kept.</summary>
    /// <exception cref="ModelException">One is kept, and cannot be had.</exception>
    public string? Find(string provider)
    {
        StateStamp stamp;
        KeptKey? kept;
        try
        {
            // Taken first: a key that is stored meanwhile is read next time.
            stamp = file.Stamp();
            kept = stamp == default ? null : file.Read().GetValueOrDefault(provider);
        }
        catch (WorkspaceException unreadable)
        {
            throw new ModelException(ModelFailure.Unauthorized, unreadable.Message, unreadable);
        }

        return kept is null ? null : kept.Key ?? FromKeyring(provider, stamp);
    }

    /// <summary>Puts it into the keyring, else into the file.</summary>
    /// <param name="mayUseKeyring">Where it may not, the file is meant.</param>
    /// <param name="remark">Is told why the keyring was not used although there is one.</param>
    /// <returns>Where it is now, in words.</returns>
    public async Task<string> StoreAsync(
        string provider,
        string key,
        bool mayUseKeyring,
        Action<string> remark,
        CancellationToken cancellationToken
    )
    {
        if (mayUseKeyring && findKeyring() is { } keyring)
        {
            try
            {
                keyring.Store(provider, key);
                if (keyring.Find(provider) == key)
                {
                    await file.SetAsync(provider, new KeptKey(), cancellationToken);
                    return "the system's keyring";
                }

                remark("The system's keyring did not give the key back, so it is kept in a file.");
            }
            catch (KeyringException failed)
            {
                remark($"The system's keyring {failed.Message}, so the key is kept in a file.");
            }
        }

        await file.SetAsync(provider, new KeptKey(key), cancellationToken);
        return file.Path;
    }

    /// <returns>Where it was, in words; null where there was none.</returns>
    /// <exception cref="KeyringException">It is in the keyring, which does not let go of it.</exception>
    public async Task<string?> RemoveAsync(string provider, CancellationToken cancellationToken)
    {
        if (!file.Read().TryGetValue(provider, out var kept))
        {
            return null;
        }

        if (kept.IsInKeyring)
        {
            (findKeyring() ?? throw new KeyringException("is not there any more")).Remove(provider);
        }

        await file.RemoveAsync(provider, cancellationToken);
        return kept.IsInKeyring ? "the system's keyring" : file.Path;
    }

    private string FromKeyring(string provider, StateStamp stamp)
    {
        lock (_lock)
        {
            if (_found.TryGetValue(provider, out var known) && known.Stamp == stamp)
            {
                return known.Key;
            }

            string? key;
            string reason;
            try
            {
                var keyring = findKeyring();
                key = keyring?.Find(provider);
                reason = keyring is null ? "is not there any more" : "does not have it, or is locked";
            }
            catch (KeyringException failed)
            {
                (key, reason) = (null, failed.Message);
            }

            if (key is null)
            {
                throw new ModelException(
                    ModelFailure.Unauthorized,
                    $"The key for {provider} is kept in the system's keyring, which {reason}: unlock it, or store the key in a file"
                        + $" with 'thole auth {provider} --file'."
                );
            }

            _found[provider] = (stamp, key);
            return key;
        }
    }
}
