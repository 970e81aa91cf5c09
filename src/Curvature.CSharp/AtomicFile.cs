using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>Files that are written as a whole or not at all: whoever reads such a file, and whoever comes after an
/// interruption, finds the old content or the new, never a part.</summary>
public static class AtomicFile
{
    /// <summary>Writes a file by a function that writes to a stream, in one step. If the function throws, or the
    /// program is killed, a file that was there before is left as it was. A temporary file beside it, whose name ends
    /// in <c>.tmp</c>, is what a killed program may leave.</summary>
    /// <exception cref="DataException">The file cannot be written: its folder is not there, it is read-only, or is not
    /// a regular file.</exception>
    public static void Write(string path, Action<Stream> writer) =>
        FSharp.AtomicFile.write(path.NotNull(), FuncConvert.FromAction(writer.NotNull()));

    /// <summary>Writes a text as UTF-8, in one step.</summary>
    /// <exception cref="DataException">The file cannot be written.</exception>
    public static void WriteText(string path, string text) =>
        FSharp.AtomicFile.writeText(path.NotNull(), text.NotNull());
}
