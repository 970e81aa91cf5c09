namespace Curvature.FSharp

open Curvature

/// A square matrix of a risk, as another process can be told.
[<RequireQualifiedAccess>]
type internal RiskMatrix =
    | Hessian
    | GaussNewton
    /// The exact Fisher matrix of a likelihood by its name, with its variance.
    | ExactFisher of likelihood: string * variance: float
    /// With so many drawn targets for each sample.
    | DrawnFisher of likelihood: string * variance: float * draws: int * key: Key

/// A range of parameters: its first and how many.
type internal ParameterRange = (struct (int * int))

/// A grid of losses around θ.
[<NoEquality; NoComparison>]
type internal GridQuestion =
    {
        /// The directions, in the shape of θ, and what they are called.
        Directions: (string * Tensor) list
        /// How far along each.
        Steps: float[][]
        /// Whether a quadratic model needs the Hessian along the directions.
        NeedsHessian: bool
        /// Whether losses may be NaN or infinite.
        KeepsNonFinite: bool
    }

/// What can be asked of batches that are elsewhere, at a θ. Every question has a value for each batch; values are
/// weighted and summed along the tree over groups.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal RiskQuestion =
    /// The loss.
    | Loss
    /// The loss and its gradient, compiled or not.
    | LossGradient of isCompiled: bool
    /// The first pass of a matrix: the loss there, and the gradient where the matrix is made from it. Data are checked
    /// on the way.
    | Point of RiskMatrix
    /// The products with the rows of a block.
    | Products of RiskMatrix * block: Tensor
    /// The quadratic forms of the rows of a block.
    | Forms of RiskMatrix * block: Tensor
    /// zᵀAz restricted to ranges, for the rows z of a block: [rows; ranges].
    | BlockForms of RiskMatrix * block: Tensor * ranges: ParameterRange[]
    /// What each batch says of the forms: they come as rows, and not as a sum.
    | FormsByBatch of RiskMatrix * block: Tensor
    /// Losses at θ plus combinations of directions, and what a quadratic model needs.
    | LossGrid of GridQuestion
    /// Losses at points of one shape.
    | LossesAt of points: Tensor[]

/// What a risk over batches elsewhere answers.
[<NoEquality; NoComparison>]
type internal RemoteSums =
    {
        /// Σ weight·part over the batches, Float64, undivided, for each part.
        Sums: Tensor list
        /// How many samples the batches have.
        Samples: int
        /// Why results are doubtful, in sentences.
        Warnings: string list
        /// For each batch its size and values; for FormsByBatch only.
        Rows: (int * Tensor) list
    }

/// The batches of a risk where they are elsewhere. Raises what the same question raises here.
type internal RemoteBatches =
    /// The answer to a question at θ, for errors under a name.
    abstract Ask: name: string * theta: Tensor * question: RiskQuestion -> RemoteSums
