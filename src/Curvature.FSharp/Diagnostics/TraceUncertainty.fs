namespace Curvature

open System.Diagnostics
open System.Globalization

/// The parts of the variance of a trace: from probes, from data, and from both together.
[<NoEquality; NoComparison>]
type internal TraceVariances = { Probe: float; Data: float; Joint: float }

/// How much of the uncertainty of a trace over a data set comes from the random vectors and how much from the data, if
/// these are taken as a sample of more of their kind. From forms zₖᵀH_b zₖ of the same K probes for each of B batches,
/// by an analysis of variance in two ways (Searle, Casella & McCulloch 1992, ch. 5) for batches of different sizes:
/// with samples i of batch b and N samples in all, x_ik = trace + sᵢ + pₖ + e_ik, whose variances are found from the
/// mean squares of batches, of probes and of the rest.
[<Sealed; AllowNullLiteral; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type TraceUncertainty internal (trace: float, variances: TraceVariances, probes: int, batches: int, samples: int) =
    let {
            TraceVariances.Probe = probeVariance
            Data = dataVariance
            Joint = jointVariance
        } =
        variances

    let total = probeVariance + dataVariance + jointVariance
    let share variance = if total > 0.0 then variance / total else 0.0

    /// The mean over the probes of the forms over the whole data set.
    member _.Trace = trace

    /// The standard error that comes from the probes, whatever the data: more probes make it smaller.
    member _.ProbeError = sqrt probeVariance

    /// The standard error that comes from the data, whatever the probes: more data make it smaller. 0 is a lower bound
    /// where probes hide it.
    member _.DataError = sqrt dataVariance

    /// The standard error that comes from both together, which more of either make smaller.
    member _.JointError = sqrt jointVariance

    /// The standard error of the trace for this data set as it is: of probes and of both.
    member _.ErrorForTheseData = sqrt (probeVariance + jointVariance)

    /// The standard error of the trace for all data of this kind: of probes, data and both.
    member _.ErrorForAllData = sqrt total

    /// The share of the variance that comes from the probes.
    member _.ProbeShare = share probeVariance

    /// The share of the variance that comes from the data.
    member _.DataShare = share dataVariance

    /// The share of the variance that comes from both together.
    member _.JointShare = share jointVariance

    /// How many probes there were.
    member _.Probes = probes

    /// How many batches there were.
    member _.Batches = batches

    /// How many samples there were.
    member _.Samples = samples

    override this.ToString() =
        let percent (x: float) = x.ToString("P0", CultureInfo.InvariantCulture)

        let advice =
            if total = 0.0 then
                "nothing is uncertain"
            elif dataVariance > probeVariance then
                "more data would help more than more probes"
            else
                "more probes would help more than more data"

        let all = FSharp.Numbers.error this.ErrorForAllData

        $"trace {FSharp.Numbers.withError this.ErrorForTheseData trace} for these data, "
        + $"± {all} for all of their kind; of that variance "
        + $"{percent this.ProbeShare} is from {probes} probes, {percent this.DataShare} from {samples} samples, "
        + $"{percent this.JointShare} from both: {advice}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Analysis of variance of forms by batch and probe.
module internal TraceVariance =

    /// From the sizes of batches and their forms for each probe. At least two batches and two probes are needed.
    let analyse (sizes: int[]) (forms: float[][]) : TraceUncertainty =
        let batches, probes = sizes.Length, forms[0].Length
        let samples = float (Array.sum sizes)
        let ofBatch = forms |> Array.map Array.average

        let ofProbe =
            Array.init probes (fun k ->
                (Array.map2 (fun size ofBatch -> float size * Array.item k ofBatch) sizes forms |> Array.sum) / samples)

        let trace = Array.average ofProbe
        let square x = x * x

        let squares f = Seq.sum (seq { for b in 0 .. batches - 1 -> float sizes[b] * f b })

        let overBatches = float probes * squares (fun b -> square (ofBatch[b] - trace)) / float (batches - 1)
        let overProbes = samples * (ofProbe |> Array.sumBy (fun mean -> square (mean - trace))) / float (probes - 1)

        let rest =
            squares (fun b ->
                Seq.sum (seq { for k in 0 .. probes - 1 -> square (forms[b][k] - ofBatch[b] - ofProbe[k] + trace) }))
            / float ((batches - 1) * (probes - 1))

        // The variances of one sample and of one probe. Estimates of small variances may be negative.
        let data = max 0.0 ((overBatches - rest) / float probes)
        let probe = max 0.0 ((overProbes - rest) / samples)

        let variances =
            {
                Probe = probe / float probes
                Data = data / samples
                Joint = rest / (samples * float probes)
            }

        TraceUncertainty(trace, variances, probes, batches, int samples)
