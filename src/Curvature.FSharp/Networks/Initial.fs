namespace Curvature.FSharp

open Curvature

/// Initial values of parameter tensors. Values are drawn in Float64 and rounded to the element type in use, so that
/// networks of different precision begin at the same point.
[<RequireQualifiedAccess>]
module Initial =

    /// The same number everywhere.
    let constant (value: float) (_: Key) (shape: int list) : Tensor = Tensor.full DType.Float64 shape value

    /// Uniform on [−bound, bound).
    let uniform (bound: float) (key: Key) (shape: int list) : Tensor =
        (Tensor.uniform key DType.Float64 shape * 2.0 - 1.0) * bound

    /// Normal with mean 0.
    let normal (standardDeviation: float) (key: Key) (shape: int list) : Tensor =
        Tensor.normal key DType.Float64 shape * standardDeviation

    /// The numbers of inputs and outputs that one element of a weight of shape [outputs; inputs; kernel …] connects.
    let private fans (shape: int list) =
        match shape with
        | outputs :: inputs :: kernel ->
            let area = List.fold (*) 1 kernel
            inputs * area, outputs * area
        | _ ->
            Fail.shape (
                "a weight of shape [outputs; inputs; …] is needed, and this one has shape "
                + $"{Shape.show (List.toArray shape)}"
            )

    /// Uniform on ±1/√fanIn: what torch.nn.Linear and Conv2d begin with, for a weight of shape [outputs; inputs; kernel
    /// …].
    let fanIn (key: Key) (shape: int list) : Tensor =
        let inputs, _ = fans shape
        uniform (1.0 / sqrt (float (max inputs 1))) key shape

    /// Uniform on ±√(6/(fanIn + fanOut)), for a weight of shape [outputs; inputs; kernel …] (Glorot & Bengio 2010, eq.
    /// 16).
    let glorot (key: Key) (shape: int list) : Tensor =
        let inputs, outputs = fans shape
        uniform (sqrt (6.0 / float (max (inputs + outputs) 1))) key shape

    /// Normal with mean 0 and variance 2/fanIn, for a weight of shape [outputs; inputs; kernel …] (He et al. 2015, eq.
    /// 10).
    let he (key: Key) (shape: int list) : Tensor =
        let inputs, _ = fans shape
        normal (sqrt (2.0 / float (max inputs 1))) key shape
