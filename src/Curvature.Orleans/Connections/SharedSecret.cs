using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Curvature;

/// <summary>
/// The beginning of every connection between silos: each side proves that it knows the secret, by a code over random
/// numbers of both (HMAC-SHA256). The side that was connected to sends its numbers, the other answers with its own and
/// its proof, and only then sees a proof. Without a secret, both prove that they know the name of the cluster, which
/// turns away what is no silo at all.
/// </summary>
internal sealed class SharedSecret(string secret, ILogger logger)
{
    private const int NonceSize = 32;
    private const int ProofSize = 32;
    private static readonly byte[] Greeting = "CURVSILO"u8.ToArray();
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>Makes it slow to try many secrets on a recorded handshake.</summary>
    private readonly byte[] _key = Rfc2898DeriveBytes.Pbkdf2(
        Encoding.UTF8.GetBytes(secret), "Curvature.Orleans"u8, 100_000, HashAlgorithmName.SHA256, 32);

    internal ConnectionDelegate Inbound(ConnectionDelegate next) => Guarded(next, "a connection from", ProveInbound);

    internal ConnectionDelegate Outbound(ConnectionDelegate next) => Guarded(next, "a connection to", ProveOutbound);

    /// <summary>Goes on only where the other side's proof is right; says so where it is not.</summary>
    private ConnectionDelegate Guarded(
        ConnectionDelegate next, string direction, Func<IDuplexPipe, CancellationToken, Task<string?>> prove) =>
        async connection =>
        {
            string? problem;
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
            timeout.CancelAfter(Timeout);
            try
            {
                problem = await prove(connection.Transport, timeout.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!connection.ConnectionClosed.IsCancellationRequested)
            {
                problem = $"it said too little for {Timeout.TotalSeconds} seconds";
            }
            catch (Exception error)
                when (error is IOException or OperationCanceledException or ConnectionResetException)
            {
                problem = "it was closed";
            }

            if (problem is null)
            {
                await next(connection).ConfigureAwait(false);
                return;
            }

            logger.LogWarning("refused {Direction} {Remote}: {Problem}", direction, connection.RemoteEndPoint, problem);
            connection.Abort(
                new ConnectionAbortedException($"refused {direction} {connection.RemoteEndPoint}: {problem}"));
        };

    private async Task<string?> ProveInbound(IDuplexPipe pipe, CancellationToken cancellation)
    {
        var own = RandomNumberGenerator.GetBytes(NonceSize);
        await pipe.Output.WriteAsync((byte[])[.. Greeting, .. own], cancellation).ConfigureAwait(false);

        var greeting = await ReadAsync(pipe.Input, Greeting.Length, cancellation).ConfigureAwait(false);
        if (greeting is null)
            return "it was closed before it had said who it is";
        if (!greeting.AsSpan().SequenceEqual(Greeting))
            return "what it sent is not the beginning of a connection between silos of this library";
        if (await ReadAsync(pipe.Input, NonceSize + ProofSize, cancellation).ConfigureAwait(false) is not { } answer)
            return "it was closed before its proof";

        var other = answer[..NonceSize];
        if (!CryptographicOperations.FixedTimeEquals(answer.AsSpan(NonceSize), Proof("connecting", own, other)))
            return "it does not know the secret of this cluster";
        await pipe.Output.WriteAsync(Proof("connected", own, other), cancellation).ConfigureAwait(false);
        return null;
    }

    private async Task<string?> ProveOutbound(IDuplexPipe pipe, CancellationToken cancellation)
    {
        var first = await ReadAsync(pipe.Input, Greeting.Length + NonceSize, cancellation).ConfigureAwait(false);
        if (first is not { } start)
            return "it was closed before it had said who it is";
        if (!start.AsSpan(0, Greeting.Length).SequenceEqual(Greeting))
            return "what it sent is not the beginning of a connection between silos of this library";

        var other = start[Greeting.Length..];
        var own = RandomNumberGenerator.GetBytes(NonceSize);
        await pipe.Output
            .WriteAsync((byte[])[.. Greeting, .. own, .. Proof("connecting", other, own)], cancellation)
            .ConfigureAwait(false);

        if (await ReadAsync(pipe.Input, ProofSize, cancellation).ConfigureAwait(false) is not { } proof)
            return "it did not accept this silo's proof: it has another secret";
        return CryptographicOperations.FixedTimeEquals(proof, Proof("connected", other, own))
            ? null
            : "it does not know the secret of this cluster";
    }

    /// <summary>What only who knows the secret can say of the random numbers of both sides.</summary>
    private byte[] Proof(string side, byte[] ofConnected, byte[] ofConnecting) =>
        HMACSHA256.HashData(_key, (byte[])[.. Encoding.ASCII.GetBytes(side), .. ofConnected, .. ofConnecting]);

    /// <summary>So many bytes, or null where the connection ends before.</summary>
    private static async Task<byte[]?> ReadAsync(PipeReader reader, int count, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellation).ConfigureAwait(false);
            if (read.Buffer.Length >= count)
            {
                var part = read.Buffer.Slice(0, count);
                var bytes = part.ToArray();
                reader.AdvanceTo(part.End);
                return bytes;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted || read.IsCanceled)
                return null;
        }
    }
}
