namespace Curvature

open System

/// An engine: workers, each of which answers messages by a ShardServer, and a way to put their partial sums together.
/// It knows nothing of what the messages say. Calls come one at a time. Errors of the engine are ClusterExceptions: no
/// worker is left, or none answers in time. Errors of computations come as answers.
type ICluster =
    inherit IDisposable

    /// What it is called in messages, such as "3 workers in this process".
    abstract Name: string

    /// How many workers there are now.
    abstract Workers: int

    /// How many bytes have been moved between processes so far.
    abstract BytesMoved: int64

    /// Sends a message to every worker; gives their answers.
    abstract Broadcast: message: byte[] -> byte[][]

    /// Has a question answered for all groups 0 … groups − 1, each exactly once, by any workers: cut into ranges (as by
    /// `FixedTree.range`), each sent by `ShardMessage.withRange`; the answers put together by `ShardAnswers.merge`, in
    /// any order and at any place. A worker whose answer `ShardAnswers.needsPoint` is to be sent the message `point`
    /// first, and then asked again: `ShardAnswers.ask` does that. Where `point` is empty, none is needed.
    abstract Sum: point: byte[] * question: byte[] * groups: int -> byte[]

/// An engine of which one worker is in the driver's process: its sums need not become bytes.
type internal IDecodedCluster =
    /// As Sum.
    abstract SumDecoded: point: byte[] * question: byte[] * groups: int -> FSharp.ShardAnswer
