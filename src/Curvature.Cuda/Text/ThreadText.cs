namespace Curvature.Cuda;

/// <summary>Which thread it is.</summary>
internal static class ThreadText
{
    /// <summary>The block's number.</summary>
    public static string Block() => PtxWriter.Current.Do(Register.Word, "mov.u32", "%ctaid.x");

    /// <summary>The thread's number in its block.</summary>
    public static string InBlock() => PtxWriter.Current.Do(Register.Word, "mov.u32", "%tid.x");

    /// <summary>The thread's number in all blocks.</summary>
    public static string Number() =>
        PtxWriter.Current.Do(Register.Word, "mad.lo.s32", Block(), $"{KernelText.Threads}", InBlock());
}
