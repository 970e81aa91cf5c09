using System.Collections.Concurrent;
using System.Diagnostics;

namespace Curvature;

/// <summary>A process of a local cluster, which ends with this one.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private const int KeptLines = 20;
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    internal WorkerProcess(LocalStart start, string secret, OrleansOptions options)
    {
        Name = SiloHost.WorkerName(start.Number);
        var (file, arguments) = options.Program is { } program ? (program[0], program.Skip(1)) : OwnProgram();
        var info = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment[OrleansWorker.Variable] = start.ToString();
        _process = new Process { StartInfo = info, EnableRaisingEvents = true };
        void Keep(string? line)
        {
            if (line is null)
                return;
            _lines.Enqueue(line);
            while (_lines.Count > KeptLines)
                _lines.TryDequeue(out _);
            options.Log($"{Name}: {line}");
        }

        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Exited += (_, _) => Exited?.Invoke(this);
        try
        {
            _process.Start();
        }
        catch (Exception error) when (error is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            throw Fail.Cluster($"{Name} could not be started by '{file}': {error.Message}", error);
        }

        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.WriteLine(secret);
        _process.StandardInput.Flush();
    }

    internal event Action<WorkerProcess>? Exited;

    internal string Name { get; }

    internal int Id => _process.Id;

    internal bool IsRunning => !_process.HasExited;

    /// <summary>How it ended, and what it printed last.</summary>
    internal string LastWords =>
        $"{Name} ended with code {_process.ExitCode}"
        + (_lines.IsEmpty ? "" : $" after it had printed:\n{string.Join('\n', _lines)}");

    /// <summary>Ends it, in order where it can.</summary>
    public void Dispose()
    {
        try
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
                _process.Kill();
        }
        catch (Exception error) when (error is InvalidOperationException or IOException)
        {
            // It has ended already.
        }

        _process.Dispose();
    }

    /// <summary>The program of this process, with the arguments that it was given.</summary>
    private static (string File, IEnumerable<string> Arguments) OwnProgram()
    {
        var file = Environment.ProcessPath ?? throw Fail.Cluster(
            "the program of this process is not known; OrleansOptions.WithProgram says what workers run");
        var isHost = string.Equals(
            Path.GetFileNameWithoutExtension(file), "dotnet", StringComparison.OrdinalIgnoreCase);
        var arguments = Environment.GetCommandLineArgs();
        return (file, isHost ? arguments : arguments.Skip(1));
    }
}
